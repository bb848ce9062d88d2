"""What became of an application's file, as the adapter's folders tell it."""

import json

from adapters.e_application.memory import Outcome
from hub.edge import files
from hub.edge.folders import Folders
from hub.edge.records import split

PROCESSED, REFUSED = "processed", "refused"
RECORD_REFUSED = "record-refused"
"""The code of an application that was read whole, and of which one item was refused."""
SET_ASIDE = "set-aside"
"""The code of a file that was set aside for a reason that cannot be read any more."""

_FIELD_PLACE = 2


def name_of(number: str) -> str:
    """Name the file of an application by its 受付番号."""
    return f"SHINSEI_{number}.zip"


def find_outcome(folders: Folders, number: str) -> Outcome | None:
    """Tell what became of a file; ``None`` while it waits, or where it is gone.

    It is looked for where it waits at first: a file moves from there at once or not at all.

    Raises:
        EdgeError: a folder cannot be used.
    """
    name = name_of(number)
    if files.exists(folders.to_hub / name):
        return None
    if files.exists(folders.processed / name):
        return _of_record(folders, name)
    if files.exists(folders.set_aside / name):
        return Outcome(REFUSED, _code_of_file(folders, name))
    return None


def _of_record(folders: Folders, name: str) -> Outcome:
    rejects = folders.rejects_for(name)
    if not files.exists(rejects):
        return Outcome(PROCESSED)
    with files.mapped("cannot read", rejects):
        lines = rejects.read_text(encoding="utf-8").splitlines()
    parts = split(lines[1]) if len(lines) > 1 else None
    field = parts[_FIELD_PLACE] if parts and len(parts) > _FIELD_PLACE else ""
    return Outcome(REFUSED, RECORD_REFUSED, field)


def _code_of_file(folders: Folders, name: str) -> str:
    note = folders.set_aside / f"{name}.reason.json"
    with files.mapped("cannot read", note):
        text = note.read_text(encoding="utf-8")
    try:
        return str(json.loads(text)["code"])
    except (ValueError, LookupError, TypeError):
        return SET_ASIDE  # somebody has changed the note
