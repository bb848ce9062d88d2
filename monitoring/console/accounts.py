"""Accounts of the console: personal, each with roles; every change of one is in the ledger."""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from hub.errors import QuestionError
from hub.ledger.acts import Act
from hub.message import AccessItems
from monitoring.console.passwords import code_digest, new_code
from monitoring.console.rights import Role, faults_of
from monitoring.console.store import Store
from monitoring.console.words import Language
from schemas.hidden import holds_my_number

KIND = "account"
CODE_HOURS = 72
UNUSED_DAYS = 90
"""An account that nobody logs in to for so long is locked."""
_ID = re.compile(r"[a-z][a-z0-9.-]{1,30}")
_MOST = 40


class Person(BaseModel):
    """Who somebody is, as pages show and the ledger names them."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    department: str
    roles: tuple[Role, ...]
    personal: bool = False


class Account(Person):
    """An account with what is secret of it; it stands sealed in the store.

    ``password`` is a hash, ``secret`` the authenticator's; both with ``new_`` before them until
    the second factor is confirmed. ``code`` is the digest of a one-time code.
    """

    password: str = ""
    secret: str = ""
    step: int = 0
    new_password: str = ""
    new_secret: str = ""
    code: str = ""
    code_until: AwareDatetime | None = None
    failures: int = 0
    locks: int = 0
    locked_until: AwareDatetime | None = None
    locked: bool = False
    added: AwareDatetime
    last_login: AwareDatetime | None = None
    language: Language = "ja"

    @property
    def is_enrolled(self) -> bool:
        """Say whether password and second factor are there."""
        return bool(self.password and self.secret)

    def is_locked(self, now: dt.datetime) -> bool:
        """Say whether nobody can log in now: locked by people, by failures, or long unused."""
        held = self.locked_until is not None and now < self.locked_until
        seen = max(filter(None, (self.last_login, self.added)))
        return self.locked or held or now - seen > dt.timedelta(days=UNUSED_DAYS)


@dataclass(frozen=True, slots=True)
class Damaged:
    """A row that cannot be read: somebody else wrote it, or with another key. Locked."""

    id: str


class OwnRightsError(QuestionError):
    """Somebody tried to give themselves other roles, or the mark."""


class Record(Protocol):
    """Writes an act into the ledger (``Books.record`` for what people do)."""

    def __call__(self, code: Act, access: AccessItems, detail: str) -> None:
        """Record it, or raise: then nothing is changed."""


class Accounts:
    """The accounts; each method that changes one records that first, and is undone else."""

    def __init__(
        self, store: Store, record: Record, alone: Callable[[], AbstractContextManager[object]]
    ) -> None:
        """Keep accounts in a store; ``alone`` takes the ledger, which is taken first, always."""
        self.store = store
        self._record = record
        self._alone = alone

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Do what is inside as a whole or not at all.

        Raises:
            LedgerError: there is no ledger to record it in.
        """
        with self._alone(), self.store.changing():
            yield

    def find(self, account: str) -> Account | None:
        """Give an account; none where there is none, or its row is damaged.

        Raises:
            StoreError: the database cannot be read.
        """
        return _read(self.store.get(KIND, account))

    def all(self) -> Iterator[Account | Damaged]:
        """Give all accounts, by id.

        Raises:
            StoreError: the database cannot be read.
        """
        for row, content in self.store.all(KIND):
            yield _read(content) or Damaged(row)

    def add(self, person: Person, access: AccessItems, now: dt.datetime) -> str:
        """Make an account; give the one-time code by which the person sets it up.

        Raises:
            QuestionError: it cannot be so; the text names what is wrong.
            LedgerError: it cannot be recorded.
        """
        _check(person)
        code = new_code()
        with self.changing():
            if self.store.get(KIND, person.id) is not None or self._is_damaged(person.id):
                raise QuestionError(f"there is an account {person.id} already")
            self._record(Act.ACCOUNT_ADDED, access, said(person))
            self.keep(
                Account(
                    **person.model_dump(include=set(Person.model_fields)),
                    added=now,
                    code=code_digest(code),
                    code_until=now + dt.timedelta(hours=CODE_HOURS),
                )
            )
        return code

    def change(self, person: Person, access: AccessItems) -> None:
        """Give an account another name, department, roles or mark; its sessions end by that.

        Raises:
            QuestionError: there is none, or it cannot be so.
            LedgerError: it cannot be recorded.
        """
        _check(person)
        with self.changing():
            before = self._known(person.id)
            if access.staff == person.id and (set(before.roles), before.personal) != (
                set(person.roles),
                person.personal,
            ):
                raise OwnRightsError("nobody gives themselves roles: another administrator can")
            after = before.model_copy(
                update={name: getattr(person, name) for name in Person.model_fields}
            )
            self._keep_an_administrator(after, access)
            self._record(Act.ACCOUNT_CHANGED, access, said(after))
            self.keep(after)

    def reset(self, account: str, access: AccessItems, now: dt.datetime) -> str:
        """Have a person set the account up anew: give a one-time code; the old login ends.

        Raises:
            QuestionError: there is no such account.
            LedgerError: it cannot be recorded.
        """
        code = new_code()
        with self.changing():
            before = self._known(account)
            self._record(Act.ACCOUNT_CHANGED, access, f"{account}: set up anew")
            self.keep(
                before.model_copy(
                    update={
                        "password": "",
                        "secret": "",
                        "new_password": "",
                        "new_secret": "",
                        "step": 0,
                        "failures": 0,
                        "locks": 0,
                        "locked_until": None,
                        "added": now,
                        "last_login": None,
                        "code": code_digest(code),
                        "code_until": now + dt.timedelta(hours=CODE_HOURS),
                    }
                )
            )
        return code

    def lock(self, account: str, access: AccessItems) -> None:
        """Lock an account until somebody unlocks it.

        Raises:
            QuestionError: there is none, or it is one's own, or the last administrator's.
            LedgerError: it cannot be recorded.
        """
        with self.changing():
            after = self._known(account).model_copy(update={"locked": True})
            self._keep_an_administrator(after, access)
            self._record(Act.ACCOUNT_LOCKED, access, account)
            self.keep(after)

    def unlock(self, account: str, access: AccessItems, now: dt.datetime) -> None:
        """Unlock an account, whyever it is locked.

        Raises:
            QuestionError: there is none.
            LedgerError: it cannot be recorded.
        """
        with self.changing():
            before = self._known(account)
            self._record(Act.ACCOUNT_UNLOCKED, access, account)
            update = {"locked": False, "locked_until": None, "failures": 0, "locks": 0}
            # One that was locked because nobody used it has its time anew.
            self.keep(before.model_copy(update=update | {"added": now}))

    def remove(self, account: str, access: AccessItems) -> None:
        """Remove an account, also a damaged one; the ledger keeps what it did.

        Raises:
            QuestionError: there is none, or it is one's own, or the last administrator's.
            LedgerError: it cannot be recorded.
        """
        with self.changing():
            found = self.find(account)
            if found is not None:
                self._keep_an_administrator(found.model_copy(update={"locked": True}), access)
            elif not self._is_damaged(account):
                raise QuestionError(f"there is no account {account}")
            self._record(Act.ACCOUNT_REMOVED, access, account)
            self.store.drop(KIND, account)

    def keep(self, account: Account) -> None:
        """Write an account as it is now.

        Raises:
            StoreError: it cannot be written.
        """
        self.store.put(KIND, account.id, account.model_dump_json().encode())

    def _known(self, account: str) -> Account:
        found = self.find(account)
        if found is None:
            raise QuestionError(f"there is no account {account}, or its row is damaged")
        return found

    def _is_damaged(self, account: str) -> bool:
        return any(one == Damaged(account) for one in self.all())

    def _keep_an_administrator(self, after: Account, access: AccessItems) -> None:
        if Role.ADMINISTRATOR in after.roles and not after.locked:
            return
        if access.staff == after.id:
            raise QuestionError("nobody takes their own account away: another administrator can")
        others = [
            one
            for one in self.all()
            if isinstance(one, Account)
            and one.id != after.id
            and Role.ADMINISTRATOR in one.roles
            and not one.locked
        ]
        before = self.find(after.id)
        if not others and before is not None and Role.ADMINISTRATOR in before.roles:
            raise QuestionError("this is the last administrator: make another one first")


def said(person: Person) -> str:
    """Say what an account may, for the ledger."""
    mark = ", personal" if person.personal else ""
    return f"{person.id}: {', '.join(person.roles)}{mark}"


def faults_of_person(person: Person) -> Sequence[str]:
    """Say everything that is wrong with what somebody wants an account to be."""
    faults = list(faults_of(person.roles))
    if not _ID.fullmatch(person.id):
        faults.append("an id has 2-31 small letters, figures, dots and hyphens, a letter first")
    for what, text in (("name", person.name), ("department", person.department)):
        if not text.strip() or len(text) > _MOST or not text.isprintable() or holds_my_number(text):
            faults.append(f"the {what} has 1-{_MOST} characters, and no number of a person")
    return faults


def _check(person: Person) -> None:
    if faults := faults_of_person(person):
        raise QuestionError("; ".join(faults))


def _read(content: bytes | None) -> Account | None:
    if content is None:
        return None
    try:
        return Account.model_validate_json(content)
    except ValidationError:
        return None  # as a row that does not open
