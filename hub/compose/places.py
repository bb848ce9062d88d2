"""The files and folders that a site file names: no two of them may be one, or in one another.

Two systems with one folder would read each other's files, and what lies in a system's folder
can be read or changed by that system.
"""

import itertools
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from hub.secret import SecretPlace, secret_source

_SQLITE = "sqlite:///"
_DEFAULT_LEDGER = "sqlite:///ledger.sqlite3"
_DEFAULT_KEY = "secrets/ledger-key"
_DEFAULT_WITNESS = "ledger.witness"
_DEFAULT_CONSOLE, _DEFAULT_CONSOLE_KEY = "console", "secrets/console-key"
LEDGER_KEY = "ledger_key_file"
WITNESS = "ledger_witness_file"
_GIVEN = frozenset({"secret_file", "client_secret_file"})
CONSOLE_USER = "the console"
"""Whose secret the console's is; no system can have this name."""
MONITOR_USER = "the broker's monitor"
"""The same of the secret by which the watch looks after the broker; a worker does not need it."""
ADMINISTRATOR_KEY = "broker.admin_password_file"


@dataclass(frozen=True, slots=True)
class Place:
    """A path of the site file by its key, with links and ``..`` followed.

    ``user`` is whose secret it is; empty for what is no secret. A secret need not be in a file.
    """

    key: str
    path: SecretPlace
    user: str = ""

    @property
    def is_given(self) -> bool:
        """Say whether another side gives this secret, so that ``site init`` makes none."""
        table, _, key = self.key.rpartition(".")
        return key in _GIVEN or (key == "key_file" and table.startswith("systems."))


def place_faults(places: list[Place]) -> Iterator[str]:
    """Name every two places that are one, or one of which is inside the other."""
    paths = [(place.key, place.path) for place in places if isinstance(place.path, Path)]
    for (first, one), (second, other) in itertools.combinations(paths, 2):
        if _is_same(one, other):
            yield f"{first} and {second} are the same: {one}"
        elif one.is_relative_to(other):
            yield f"{first} is inside {second}: {one}"
        elif other.is_relative_to(one):
            yield f"{second} is inside {first}: {other}"


def content_faults(secrets: Mapping[str, SecretStr]) -> Iterator[str]:
    """Name every two secrets, by their keys, that say the same; never what they say."""
    for (first, one), (second, other) in itertools.combinations(secrets.items(), 2):
        if one.get_secret_value() == other.get_secret_value():
            yield f"{first} and {second} hold the same secret: each needs its own"


def table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Give a table of a document, or an empty one where it is none."""
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def places_of(document: Mapping[str, Any], path: Path, hub_user: str, admin: str) -> list[Place]:
    """List the places of a site file as far as it can be read, the file itself first."""
    folder = path.resolve().parent
    found = [Place("the site file", path.resolve())]

    def add(section: Mapping[str, Any], prefix: str, key: str, user: str = "") -> None:
        value = section.get(key)
        where = _resolved(folder / value) if isinstance(value, str) and value else None
        if where is not None:
            found.append(Place(f"{prefix}.{key}", where, user))
        elif isinstance(value, dict) and user:
            with suppress(ValueError):  # which load_site names
                found.append(Place(f"{prefix}.{key}", secret_source(value), user))

    hub = table(document, "hub")
    add(table(document, "broker"), "broker", "admin_password_file", admin)
    add(table(document, "broker"), "broker", "monitor_password_file", MONITOR_USER)
    for key in ("pseudonym_key_file", "password_file", "ledger_password_file"):
        add(hub, "hub", key, hub_user)
    add({LEDGER_KEY: _DEFAULT_KEY, **hub}, "hub", LEDGER_KEY, hub_user)
    add(hub, "hub", "routes")
    add({WITNESS: _DEFAULT_WITNESS, **hub}, "hub", WITNESS)
    ledger = hub.get("ledger", _DEFAULT_LEDGER)
    if isinstance(ledger, str) and ledger.startswith(_SQLITE):
        where = _resolved(folder / ledger.removeprefix(_SQLITE))
        if where is not None:
            found.append(Place("hub.ledger", where))
    add(table(document, "tls"), "tls", "folder")
    add(table(document, "traces"), "traces", "file")
    console = _console(document)
    add(console, "console", "folder")
    add(console, "console", "key_file", CONSOLE_USER)
    oidc = table(console, "oidc")
    add(oidc, "console.oidc", "client_secret_file", CONSOLE_USER)
    add(oidc, "console.oidc", "ca_file")
    systems = table(document, "systems")
    for system in systems:
        section = table(systems, system)
        for key in ("folder", "journal", "cert_file"):
            add(section, f"systems.{system}", key)
        for key in ("password_file", "secret_file", "key_file"):
            add(section, f"systems.{system}", key, system)
    return found


def _console(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the table of the console with its defaults, where the site has one."""
    if "console" not in document:
        return {}
    defaults = {"folder": _DEFAULT_CONSOLE, "key_file": _DEFAULT_CONSOLE_KEY}
    return {**defaults, **table(document, "console")}


def _resolved(path: Path) -> Path | None:
    """Follow links and ``..``; nothing for what can be no path, which ``load_site`` names."""
    try:
        return Path(os.path.realpath(path))
    except ValueError:
        return None


def _is_same(first: Path, second: Path) -> bool:
    if first == second:
        return True
    try:
        return first.samefile(second)  # a hard link, or a drive mounted twice
    except OSError:
        return False  # not there yet, or not ours to look at
