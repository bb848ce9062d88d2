"""The accounts of a demo's console: one for each role, and what each person would know of it."""

import datetime as dt
import secrets
from collections.abc import Iterator
from pathlib import Path

from hub.clock import JST
from hub.compose.ledger import open_ledger
from hub.demo.state import write_atomically
from hub.errors import SiteError
from hub.message import AccessItems
from hub.site import Site, read_secret
from monitoring.console.accounts import Person
from monitoring.console.build import accounts_of
from monitoring.console.desks import Books
from monitoring.console.passwords import Hasher, new_secret
from monitoring.console.rights import Role
from monitoring.console.store import Store

DEPARTMENT = "医療保険課"
NAMES = {
    Role.VIEWER: "閲覧 花子",
    Role.OPERATOR: "担当 太郎",
    Role.APPROVER: "承認 桜",
    Role.AUDITOR: "監査 誠",
    Role.ADMINISTRATOR: "管理 薫",
}
PERSONAL = {Role.OPERATOR, Role.AUDITOR}
"""Who may see what has to do with single residents."""
_PASSWORD_BYTES = 15
_HEAD = """\
# Accounts of this demo's console: id, password, and the secret of the authenticator (TOTP), which
# any authenticator app takes. Real accounts have none of these in a file: renkei console account.
"""


def make_accounts(site: Site, told: Path) -> None:
    """Make an account for each role, and write into a file what their persons would know.

    Those that are there stay as they are.

    Raises:
        SiteError: the site has no console.
        RenkeiError: accounts or ledger cannot be written.
    """
    if site.console is None:
        raise SiteError("the demo has no console")
    store = Store(site.console.folder, read_secret(site.console.key_file))
    books = Books(lambda: open_ledger(site), lambda: dt.datetime.now(JST))
    try:
        lines = list(_made(store, books))
    finally:
        books.close()
        store.close()
    if lines:
        write_atomically(told, _HEAD + "".join(f"{line}\n" for line in lines))


def _made(store: Store, books: Books) -> Iterator[str]:
    accounts, hasher = accounts_of(store, books), Hasher()
    access = AccessItems(staff="renkei demo", operation="demo --console")
    now = dt.datetime.now(JST)
    for role, name in NAMES.items():
        if accounts.find(role.value) is not None:
            continue
        person = Person(
            id=role.value,
            name=name,
            department=DEPARTMENT,
            roles=(role,),
            personal=role in PERSONAL,
        )
        accounts.add(person, access, now)
        password, secret = secrets.token_urlsafe(_PASSWORD_BYTES), new_secret()
        added = accounts.find(role.value)
        if added is None:
            raise SiteError(f"the account {role.value} was made and is not there")
        known = {"password": hasher.hashed(password), "secret": secret}
        accounts.keep(added.model_copy(update={**known, "code": "", "code_until": None}))
        yield f"{role.value} {password} {secret}"
