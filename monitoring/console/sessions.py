"""Sessions: a random text in a cookie, of which only the digest is kept."""

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from hub.sections import ConsoleSite
from monitoring.console.accounts import Account, Accounts, Person
from monitoring.console.store import Store

KIND = "session"
COOKIE = "__Host-renkei"
STEP_UP = dt.timedelta(minutes=10)
_BYTES = 32
_SEEN_STEP = dt.timedelta(seconds=20)
"""A session that was seen so shortly before is not written again."""


class Why(StrEnum):
    """Why a session ended."""

    IDLE = "idle"
    LIFETIME = "lifetime"
    REPLACED = "replaced"
    FOREIGN = "foreign"
    REVOKED = "revoked"


class Session(BaseModel):
    """An open session; ``stepped`` is when the second factor was last given."""

    model_config = ConfigDict(frozen=True)

    account: str
    address: str
    began: AwareDatetime
    seen: AwareDatetime
    stepped: AwareDatetime
    mark: str
    """What the account was when it began: a changed one ends it."""

    def wants_step_up(self, now: dt.datetime) -> bool:
        """Say whether the second factor was given too long ago for a decision."""
        return now - self.stepped > STEP_UP


@dataclass(frozen=True, slots=True)
class Open:
    """A session that holds, with its person; ``secret`` is what stands in the cookie."""

    secret: str
    session: Session
    account: Account


@dataclass(frozen=True, slots=True)
class Ended:
    """A session that does not hold any more: whose it was, and why it ended."""

    account: str
    address: str
    why: Why


class Sessions:
    """Begins, finds and ends sessions. Whoever ends one by finding it out records that."""

    def __init__(self, store: Store, accounts: Accounts, settings: ConsoleSite) -> None:
        self._store = store
        self._accounts = accounts
        self._settings = settings

    def begin(self, account: Account, address: str, now: dt.datetime) -> str:
        """Begin a session; give its secret. Others of the account are to be ended before."""
        session = Session(
            account=account.id,
            address=address,
            began=now,
            seen=now,
            stepped=now,
            mark=_mark(account),
        )
        return self._kept(session)

    def find(
        self, secret: str, address: str, now: dt.datetime, *, is_seen: bool = True
    ) -> Open | Ended | None:
        """Find a session by what stands in a cookie; one that has ended is deleted by that.

        Unless ``is_seen``, nobody did anything: it was a script that asked.
        """
        row = _digest(secret)
        session = _read(self._store.get(KIND, row)) if secret else None
        if session is None:
            return None
        account = self._accounts.find(session.account)
        why = self._ended(session, account, address, now)
        if why is not None or account is None:
            self._store.drop(KIND, row)
            return Ended(session.account, session.address, why or Why.REVOKED)
        if is_seen and now - session.seen > _SEEN_STEP:
            session = session.model_copy(update={"seen": now})
            with self._store.changing():
                # Somebody may have ended it meanwhile: then it stays ended.
                if self._store.get(KIND, row) is None:
                    return None
                self._store.put(KIND, row, session.model_dump_json().encode())
        return Open(secret, session, account)

    def stepped_up(self, opened: Open, now: dt.datetime) -> Open:
        """Give a session whose second factor was given just now: under a new secret."""
        session = opened.session.model_copy(update={"stepped": now, "seen": now})
        self._store.drop(KIND, _digest(opened.secret))
        return Open(self._kept(session), session, opened.account)

    def end(self, opened: Open) -> None:
        """End a session."""
        self._store.drop(KIND, _digest(opened.secret))

    def end_all(self, account: str) -> int:
        """End every session of an account; say how many there were."""
        found = [row for row, session in self._all() if session and session.account == account]
        for row in found:
            self._store.drop(KIND, row)
        return len(found)

    def swept(self, now: dt.datetime) -> list[Ended]:
        """Delete what has ended unseen; give it, for the ledger."""
        ended = []
        for row, session in self._all():
            if session is None:
                self._store.drop(KIND, row)
                continue
            account = self._accounts.find(session.account)
            why = self._ended(session, account, session.address, now)
            if why is not None:
                self._store.drop(KIND, row)
                ended.append(Ended(session.account, session.address, why))
        return ended

    def count(self) -> int:
        """Say how many there are."""
        return sum(1 for _ in self._all())

    def _all(self) -> Iterator[tuple[str, Session | None]]:
        for row, content in self._store.all(KIND):
            yield row, _read(content)

    def _kept(self, session: Session) -> str:
        secret = secrets.token_urlsafe(_BYTES)
        self._store.put(KIND, _digest(secret), session.model_dump_json().encode())
        return secret

    def _ended(
        self, session: Session, account: Account | None, address: str, now: dt.datetime
    ) -> Why | None:
        settings = self._settings
        if account is None or account.locked or _mark(account) != session.mark:
            return Why.REVOKED
        if now - session.began > dt.timedelta(hours=settings.session_hours):
            return Why.LIFETIME
        if now - session.seen > dt.timedelta(minutes=settings.idle_minutes):
            return Why.IDLE
        if settings.bind_address and address != session.address:
            return Why.FOREIGN
        return None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _mark(account: Account) -> str:
    facts = account.model_dump_json(include={*Person.model_fields, "password", "secret"})
    return hashlib.sha256(facts.encode()).hexdigest()


def _read(content: bytes | None) -> Session | None:
    if content is None:
        return None
    try:
        return Session.model_validate_json(content)
    except ValidationError:
        return None
