"""The broker's users: their passwords, and their open connections."""

import base64
import hashlib
import hmac
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import SecretStr

from hub.broker.management import Management
from hub.broker.topology import Account

Passwords = Mapping[str, SecretStr | None]
"""By user; ``None`` for one that has none, and logs in by its certificate."""
_SALT_BYTES = 4
_HASHES = {
    "rabbit_password_hashing_sha256": "sha256",
    "rabbit_password_hashing_sha512": "sha512",
}


def set_users(
    management: Management, accounts: Collection[Account], passwords: Passwords
) -> frozenset[str]:
    """Make the users, with these passwords; name those who were there with another one.

    One with ``None`` gets no password: it can log in by its certificate alone.

    One whose password and tags are right is left alone. What is connected as one of those named
    was let in by the password of before, and stays until it is disconnected.

    Raises:
        BrokerError: the broker refused.
    """
    known = {row["name"]: row for row in management.get("users")}
    changed: set[str] = set()
    for account in sorted(accounts, key=lambda one: one.name):
        row, password = known.get(account.name), passwords[account.name]
        same = row is not None and is_password(row, password)
        if row is not None and same and sorted(row["tags"]) == sorted(account.tags):
            continue
        body = {"tags": ",".join(account.tags), **_set(password)}
        management.put("users", account.name, body=body)
        if row is not None and not same:
            changed.add(account.name)
    return frozenset(changed)


def _set(password: SecretStr | None) -> dict[str, str]:
    if password is None:
        return {"password_hash": ""}
    return {"password": password.get_secret_value()}


def is_password(user: Mapping[str, Any], password: SecretStr | None) -> bool:
    """Say whether a user, as the management API shows it, has this password, or has none.

    The broker keeps a salt and a digest of both. Kept in a way that is not known here, it counts
    as another password: then it is set anew.
    """
    if password is None:
        return not user.get("password_hash")
    digest = _HASHES.get(str(user.get("hashing_algorithm")))
    if digest is None:
        return False
    try:
        kept = base64.b64decode(str(user.get("password_hash")), validate=True)
    except ValueError:
        return False
    salt = kept[:_SALT_BYTES]
    wanted = hashlib.new(digest, salt + password.get_secret_value().encode()).digest()
    return hmac.compare_digest(kept[_SALT_BYTES:], wanted)


def disconnect(management: Management, users: Collection[str]) -> dict[str, int]:
    """Close the connections of users whose rights or passwords changed; say how many of whom.

    RabbitMQ looks a right up once for each channel and keeps the answer, so an open channel
    would go on with what it had; a password it looks at only once. All of a user's connections
    are closed, in other vhosts too: the list of those in one vhost is some seconds late.

    Raises:
        BrokerError: the broker refused.
    """
    closed: dict[str, int] = {}
    for user in sorted(users):
        count = len(management.get("connections", "username", user))
        management.delete("connections", "username", user)
        if count:
            closed[user] = count
    return closed
