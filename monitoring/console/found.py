"""Lists that a search found: kept in memory for its person, for a quarter of an hour."""

import datetime as dt
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

KEPT_MINUTES = 15
MOST_LISTS = 200
"""Of all persons together; each has a thousand numbers at the most."""


@dataclass(frozen=True, slots=True)
class Found:
    """The numbers of entries, the newest first; ``more`` says that there are others.

    ``is_doubtful``: the person was searched by a number that looks like a 個人番号.
    """

    person: str
    at: dt.datetime
    numbers: tuple[int, ...]
    more: bool
    is_doubtful: bool = False


class FoundLists:
    """Keeps lists by random keys; no file is made of one."""

    def __init__(self) -> None:
        self._lists: OrderedDict[str, Found] = OrderedDict()
        self._lock = Lock()

    def keep(self, found: Found) -> str:
        """Keep a list; give its key."""
        key = secrets.token_urlsafe(18)
        with self._lock:
            self._lists[key] = found
            while len(self._lists) > MOST_LISTS:
                self._lists.popitem(last=False)
        return key

    def find(self, key: str, person: str, now: dt.datetime) -> Found | None:
        """Give a person's own list, unless its time is over."""
        with self._lock:
            found = self._lists.get(key)
        if found is None or found.person != person:
            return None
        return found if now - found.at <= dt.timedelta(minutes=KEPT_MINUTES) else None
