"""Chromium for tests, with the driver of the same version and a Japanese font, from Debian."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from hub.packages import NotInstalled, Wanted, install, privilege
from tests.servers.packages import alone

FONT = Path("/usr/share/fonts/opentype/ipaexfont-gothic")
"""Without it Chromium shows boxes for Japanese."""
WANTED = Wanted(
    "Chromium with its driver",
    ("chromium", "chromium-driver", "fonts-ipaexfont-gothic"),
    "Install Chromium, chromedriver of the same version and a Japanese font (Debian: apt-get "
    "install chromium chromium-driver fonts-ipaexfont-gothic)",
)


@dataclass(frozen=True)
class Browser:
    """Where the browser and its driver are."""

    program: str
    driver: str


def browser() -> Browser:
    """Give the browser; install it where it is missing.

    Raises:
        NotInstalled: it cannot be installed; the text says what to do.
    """
    found = _found()
    if found is None:
        with alone():
            if _found() is None:
                install(WANTED, _say, privilege(WANTED))
        found = _found()
    if found is None:
        raise NotInstalled(f"{WANTED.program} is not here. {WANTED.by_hand}.")
    return found


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _found() -> Browser | None:
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None or not FONT.is_dir():
        return None
    return Browser(program, driver)
