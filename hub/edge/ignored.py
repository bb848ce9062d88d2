"""Why a name in ``to-hub`` is never read, and nothing is done to it."""

import stat
from enum import StrEnum


class Ignored(StrEnum):
    """The reasons; each has its sentence."""

    ENCODING = "encoding"
    CONTROL = "control"
    LENGTH = "length"
    PATTERN = "pattern"
    LINK = "link"
    FOLDER = "folder"
    NO_FILE = "no-file"

    @property
    def sentence(self) -> str:
        """Say it for the log."""
        return _SENTENCES.get(self, "it is a link, a folder or no file")


_SENTENCES = {
    Ignored.ENCODING: "its name is not UTF-8",
    Ignored.CONTROL: "its name has a control character",
    Ignored.LENGTH: "its name is longer than limits.name_length",
    Ignored.PATTERN: "its name is none of this system's patterns",
}


def no_file(mode: int) -> Ignored | None:
    """Say by its mode why what a name stands for is not read; nothing of an ordinary file."""
    if stat.S_ISREG(mode):
        return None
    if stat.S_ISLNK(mode):
        return Ignored.LINK
    return Ignored.FOLDER if stat.S_ISDIR(mode) else Ignored.NO_FILE
