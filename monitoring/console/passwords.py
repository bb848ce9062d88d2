"""Passwords and one-time codes: Argon2id and TOTP (RFC 6238), both of ``cryptography``."""

import base64
import hashlib
import os
import re
import secrets
import time
import unicodedata
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from threading import BoundedSemaphore
from urllib.parse import quote

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

LEAST, MOST = 12, 200
"""Characters of a password."""
STEP_SECONDS = 30
DIGITS = 6
_SECRET_BYTES = 20
_SALT_BYTES = 16
_CODE_GROUPS, _CODE_GROUP = 4, 5
_CODE_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look alike."""
_FEW = 5
"""A password of fewer different characters is no secret."""
_TRIED_FIRST = frozenset(
    (Path(__file__).parent / "tried_first.txt").read_text(encoding="utf-8").split()
)
"""What passwords are made of that people try first, without figures and signs."""


@dataclass(frozen=True, slots=True)
class Hasher:
    """Makes and checks hashes; two at a time, so that tries of many cannot take all memory.

    ``memory`` is in KiB. 64 MiB and three rounds take 0.3 s on the machine where this was measured.
    """

    memory: int = 65_536
    rounds: int = 3
    _turns: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(2))

    def hashed(self, password: str) -> str:
        """Give the hash of a password, in the PHC form, with a salt of its own."""
        with self._turns:
            kdf = Argon2id(
                salt=os.urandom(_SALT_BYTES),
                length=32,
                iterations=self.rounds,
                lanes=1,
                memory_cost=self.memory,
            )
            return kdf.derive_phc_encoded(plain(password).encode())

    def is_right(self, password: str, kept: str) -> bool:
        """Say whether a password is that of a hash; without a hash it takes as long, and is not."""
        if not kept:
            self.hashed(password)
            return False
        with self._turns:
            try:
                Argon2id.verify_phc_encoded(plain(password).encode(), kept)
            except InvalidKey:
                return False
        return True


def plain(password: str) -> str:
    """Give the one form of what keyboards write in two ways.

    >>> plain("Ｒenkei")
    'Renkei'
    """
    return unicodedata.normalize("NFKC", password)


def fault_of(password: str, account: str, name: str = "") -> str:
    """Say by a word's key why something cannot be a password; empty where it can.

    >>> fault_of("hub-hub-hub-hub", "tanaka")
    'weak'
    >>> fault_of("seven cranes cross the river", "tanaka")
    ''
    """
    text = plain(password)
    if len(text) < LEAST:
        return "short"
    if len(text) > MOST:
        return "long"
    folded = text.casefold()
    # What is left without figures and signs: "Renkei-2026-11!" is no better than "renkei".
    letters = re.sub(r"[\W\d_]+", "", folded)
    bases = {*_TRIED_FIRST, account.casefold(), name.casefold().replace(" ", "")} - {""}
    is_guessed = letters in bases or any(letters == base * 2 for base in bases)
    is_simple = len(set(folded)) < _FEW or _runs(folded)
    is_own = len(account) > 2 and account.casefold() in folded and len(text) < 2 * LEAST  # noqa: PLR2004
    return "weak" if is_guessed or is_simple or is_own else ""


def _runs(text: str) -> bool:
    """Say whether a text only goes up or down, as 123456789012 and abcdefghijkl do."""
    steps = [ord(after) - ord(before) for before, after in pairwise(text)]
    usual = sum(step in {1, -1, 0} for step in steps)
    return usual >= len(steps) - 2


def new_code() -> str:
    """Make a one-time code for somebody's first login, or after a loss."""
    groups = (
        "".join(secrets.choice(_CODE_LETTERS) for _ in range(_CODE_GROUP))
        for _ in range(_CODE_GROUPS)
    )
    return "-".join(groups)


def code_digest(code: str) -> str:
    """Give the digest by which a one-time code is known: it is random, so a quick one will do."""
    letters = "".join(one for one in plain(code).lower() if one.isalnum())
    return hashlib.sha256(letters.encode()).hexdigest()


def new_secret() -> str:
    """Make the secret of an authenticator, as text (base32)."""
    return base64.b32encode(os.urandom(_SECRET_BYTES)).decode()


def secret_address(secret: str, account: str, issuer: str) -> str:
    """Give what the QR code of a secret says (``otpauth:``)."""
    label = f"{quote(issuer)}:{quote(account)}"
    return f"otpauth://totp/{label}?secret={secret}&issuer={quote(issuer)}&digits={DIGITS}"


def code_at(secret: str, seconds: float) -> str:
    """Give the code of an authenticator at a time, in seconds since 1970."""
    return _totp(secret).generate(int(seconds)).decode()


def step_of(secret: str, code: str, seconds: float, last: int) -> int | None:
    """Give the step of time whose code this is: now, the one before or after; none taken twice.

    ``last`` is the step of the code that was taken last.
    """
    digits = "".join(plain(code).split())
    if len(digits) != DIGITS or not digits.isascii() or not digits.isdigit():
        return None
    now = int(seconds) // STEP_SECONDS
    for step in (now, now - 1, now + 1):
        try:
            _totp(secret).verify(digits.encode(), step * STEP_SECONDS)
        except InvalidToken:
            continue
        return step if step > last else None
    return None


def now_seconds() -> float:
    """Give the time in seconds since 1970."""
    return time.time()


def _totp(secret: str) -> TOTP:
    return TOTP(base64.b32decode(secret), DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303 - RFC 6238
