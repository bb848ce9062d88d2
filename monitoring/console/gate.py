"""The way in: login, second factor, lockout, setting an account up. All of it is recorded."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

from hub.ledger.acts import Act
from hub.ledger.model import Kind
from hub.message import AccessItems
from hub.sections import ConsoleSite
from monitoring.console import passwords
from monitoring.console.accounts import Account, Accounts
from monitoring.console.desks import Books
from monitoring.console.limiter import Limiter, Muted
from monitoring.console.passwords import Hasher
from monitoring.console.sessions import Ended, Open, Sessions, Why
from monitoring.console.words import Language

LONGEST_LOCK = dt.timedelta(hours=24)
_UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What somebody typed to log in."""

    account: str
    password: str = field(repr=False)
    code: str = field(repr=False)


@dataclass(slots=True)
class Gate:
    """Lets people in, one by one; the answer to every failure is the same, in the same time."""

    settings: ConsoleSite
    accounts: Accounts
    sessions: Sessions
    books: Books
    observe: Callable[[str], None] = lambda _: None
    """Is told how each login ended, by a word of ``monitoring.visits.LOGINS``."""
    hasher: Hasher = field(default_factory=Hasher)
    addresses: Limiter = field(default_factory=lambda: Limiter(20, 60))
    refused_known: Muted = field(default_factory=lambda: Muted(Limiter(1, 60)))
    refused_unknown: Muted = field(default_factory=lambda: Muted(Limiter(60, 3600)))

    def login(self, tried: Credentials, access: AccessItems, address: str, now: dt.datetime) -> str:
        """Begin a session, and give its secret; an empty text where it is refused.

        Raises:
            Unrecorded: it cannot be recorded, and nobody is let in.
            StoreError: the accounts cannot be read or written.
        """
        found = self.accounts.find(tried.account)
        is_open = found is not None and found.is_enrolled and not found.is_locked(now)
        if self.settings.oidc is not None:
            is_open = is_open and tried.account in self.settings.oidc.emergency
        kept = found.password if found is not None and is_open else ""
        is_right = self.hasher.is_right(tried.password, kept)
        if found is None or not is_open:
            self.observe("unknown" if found is None else "locked")
            self._refused(found, access)
            return ""
        with self.accounts.changing():
            # Between the look and this another try may have taken the code, or locked it.
            found, locked = self.accounts.find(found.id), None
            if found is not None:
                is_right = is_right and found.password == kept and not found.is_locked(now)
                step = self._step(found, tried.code, now) if is_right else None
                if step is not None:
                    secret = self._let_in(found, step, access, address, now)
                    self.observe("good")
                    return secret
                locked = self._failed(found, now)
        if locked is None:
            self.observe("wrong")
        self._refused(found, access, locked)
        return ""

    def enter(
        self,
        account: str,
        access: AccessItems,
        address: str,
        now: dt.datetime,
        *,
        code: str | None = None,
    ) -> str:
        """Begin a session of somebody whom the office's login knows; else give an empty text.

        ``code`` is the console's second factor, where that login gave none.

        Raises:
            Unrecorded: it cannot be recorded, and nobody is let in.
        """
        with self.accounts.changing():
            found = self.accounts.find(account)
            locked, outcome = None, "unknown"
            if found is not None and not found.is_locked(now):
                step = found.step if code is None else self._step(found, code, now)
                if step is not None:
                    secret = self._let_in(found, step, access, address, now)
                    self.observe("good")
                    return secret
                locked, outcome = self._failed(found, now), "wrong"
            elif found is not None:
                outcome = "locked"
        if locked is None:
            self.observe(outcome)
        self._refused(found, access, locked)
        return ""

    def step_up(
        self, opened: Open, code: str, access: AccessItems, now: dt.datetime
    ) -> Open | None:
        """Take the second factor once more; give the session under a new secret, if it is right.

        Raises:
            Unrecorded: a failure cannot be recorded.
        """
        with self.accounts.changing():
            account = self.accounts.find(opened.account.id)
            if account is None or account.is_locked(now):
                return None
            step = self._step(account, code, now)
            if step is not None:
                self.accounts.keep(account.model_copy(update={"step": step, "failures": 0}))
                return self.sessions.stepped_up(opened, now)
            locked = self._failed(account, now)
        self._refused(account, access, locked)
        if locked:
            self.end_all(account.id, Why.REVOKED, access)
        return None

    def begin_setup(
        self, account: str, code: str, password: str, access: AccessItems, now: dt.datetime
    ) -> Account | None:
        """Take a one-time code and a new password; give the account with its new secret.

        Raises:
            Unrecorded: a failure cannot be recorded.
        """
        hashed = self.hasher.hashed(password)
        with self.accounts.changing():
            # Looked at here and not before: hashing takes long, and an administrator may lock,
            # change or remove the account meanwhile.
            found, locked = self.accounts.find(account), None
            if found is not None and self._is_code(found, code, now):
                after = found.model_copy(
                    update={"new_password": hashed, "new_secret": passwords.new_secret()}
                )
                self.accounts.keep(after)
                return after
            if found is not None and not found.is_locked(now):
                locked = self._failed(found, now)
        self._refused(found, access, locked)
        return None

    def end_setup(
        self, account: str, one_time: str, code: str, access: AccessItems, now: dt.datetime
    ) -> bool:
        """Take the first code of the new second factor; the one-time code has done its work.

        Raises:
            Unrecorded: it cannot be recorded, and nothing is changed.
        """
        with self.accounts.changing():
            found = self.shown_secret(account, one_time, now)
            if found is None:
                return False
            step = passwords.step_of(found.new_secret, code, now.timestamp(), 0)
            if step is not None:
                self._record(Act.ACCOUNT_ENROLLED, access._replace(staff=account), account)
                update = {
                    "password": found.new_password,
                    "secret": found.new_secret,
                    "step": step,
                    "new_password": "",
                    "new_secret": "",
                    "code": "",
                    "code_until": None,
                    "failures": 0,
                    "locks": 0,
                }
                self.accounts.keep(found.model_copy(update=update))
                return True
            locked = self._failed(found, now)
        self._refused(found, access, locked)
        return False

    def shown_secret(self, account: str, one_time: str, now: dt.datetime) -> Account | None:
        """Give an account whose set-up goes on, to show its new secret once more.

        Raises:
            StoreError: the accounts cannot be read.
        """
        found = self.accounts.find(account)
        if found is None or not found.new_secret or not self._is_code(found, one_time, now):
            return None
        return found

    def speak(self, account: str, language: Language) -> None:
        """Remember the language of an account.

        Raises:
            StoreError: it cannot be written.
        """
        with self.accounts.changing():
            found = self.accounts.find(account)
            if found is not None and found.language != language:
                self.accounts.keep(found.model_copy(update={"language": language}))

    def permits(self, address: str) -> bool:
        """Count a try of an address, and say whether it may have one more now."""
        permitted = self.addresses.permits(address)
        if not permitted:
            self.observe("limited")
        return permitted

    def tell_overdue(self) -> None:
        """Record refused tries that were too many to be recorded when they were made.

        Raises:
            Unrecorded: they cannot be.
        """
        for muted in (self.refused_known, self.refused_unknown):
            for name, number in muted.overdue():
                self._tell_refused(AccessItems(name, "", "", "", "console"), name, number)

    def logout(self, opened: Open, access: AccessItems) -> None:
        """End a session because its person wants it.

        Raises:
            Unrecorded: it cannot be recorded; it is ended nevertheless.
        """
        self.sessions.end(opened)
        self._record(Act.LOGOUT, access)

    def ended(self, one: Ended, access: AccessItems) -> None:
        """Record that a session was found ended.

        Raises:
            Unrecorded: it cannot be; it has ended nevertheless.
        """
        self._record(Act.SESSION_ENDED, access._replace(staff=one.account), one.why)

    def end_all(self, account: str, why: Why, access: AccessItems) -> None:
        """End all sessions of an account, and record that.

        Raises:
            Unrecorded: it cannot be recorded; they have ended nevertheless.
        """
        for _ in range(self.sessions.end_all(account)):
            self._record(Act.SESSION_ENDED, access._replace(staff=account), why)

    def _let_in(
        self, found: Account, step: int, access: AccessItems, address: str, now: dt.datetime
    ) -> str:
        access = access._replace(staff=found.id, department=found.department)
        self.end_all(found.id, Why.REPLACED, access)
        self._record(Act.LOGIN, access)
        update = {
            "step": step,
            "failures": 0,
            "locks": 0,
            "locked_until": None,
            "last_login": now,
            "code": "",
            "code_until": None,
        }
        after = found.model_copy(update=update)
        self.accounts.keep(after)
        return self.sessions.begin(after, address, now)

    @staticmethod
    def _is_code(account: Account, code: str, now: dt.datetime) -> bool:
        until = account.code_until
        in_time = until is not None and now < until and not account.is_locked(now)
        return in_time and bool(account.code) and passwords.code_digest(code) == account.code

    def _step(self, account: Account, code: str, now: dt.datetime) -> int | None:
        if not account.secret:
            return None
        return passwords.step_of(account.secret, code, now.timestamp(), account.step)

    def _failed(self, account: Account, now: dt.datetime) -> dt.datetime | None:
        """Count a failure; give until when the account is locked by that, if it is."""
        failures = account.failures + 1
        update: dict[str, object] = {"failures": failures}
        until = None
        if failures >= self.settings.failures:
            longest = int(LONGEST_LOCK.total_seconds() // 60)
            minutes = min(self.settings.lock_minutes * 2 ** min(account.locks, 20), longest)
            until = now + dt.timedelta(minutes=minutes)
            update = {"failures": 0, "locks": account.locks + 1, "locked_until": until}
        self.accounts.keep(account.model_copy(update=update))
        return until

    def _refused(
        self, account: Account | None, access: AccessItems, locked: dt.datetime | None = None
    ) -> None:
        """Record a refused try. An id that no account has is not named: it may be a password."""
        name = account.id if account is not None else _UNKNOWN
        said = access._replace(staff=name)
        if locked is not None:
            self.observe("locked")
            self._record(Act.LOCKOUT, said, f"{name}: until {locked.isoformat('T', 'minutes')}")
        muted = self.refused_unknown if account is None else self.refused_known
        number = muted.due(name)
        if number:
            self._tell_refused(said, name, number)

    def _tell_refused(self, access: AccessItems, name: str, number: int) -> None:
        whose = name or "an id that there is not"
        self._record(Act.LOGIN_REFUSED, access, f"{whose}, {number} times")

    def _record(self, code: Act, access: AccessItems, detail: str = "") -> None:
        self.books.record(Kind.OPERATOR_ACTION, code, access, detail)
