"""Certificates: signed statements of the hub that a person and a program can both read.

A certificate is a signed note (https://c2sp.org/signed-note). The first line of its text is the
kind, such as ``renkei.destruction/v1``; each line after it is a key, a space and a value::

    renkei.destruction/v1
    month 202611
    entries 1-2500

    — renkei-hub/ledger <the signature, base64>
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from schemas.evidence.keys import NoteError, Signer, Verifier
from schemas.evidence.note import SignedNote

Facts = tuple[tuple[str, str], ...]
"""Keys and values, in the order in which they are stated; a key may be stated more than once."""

_KIND = re.compile(r"[a-z0-9][a-z0-9.-]*/v[1-9][0-9]*", re.ASCII)
_KEY = re.compile(r"[a-z][a-z0-9_-]*", re.ASCII)
_NOT_SHOWN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories of what cannot be seen, or would break or turn a line."""


def certificate(kind: str, facts: Sequence[tuple[str, str]], signer: Signer) -> str:
    """State facts and sign them; give the note.

    Args:
        kind: What is stated and in which form, such as ``renkei.destruction/v1``.
        facts: At least one key and value; they stand in this order.
        signer: The hub's key.

    Raises:
        NoteError: a kind, key or value cannot stand in a certificate.
    """
    if not facts:
        raise NoteError("a certificate states at least one fact")
    _check_kind(kind)
    for key, value in facts:
        _check_fact(key, value)
    text = "".join(f"{line}\n" for line in (kind, *(f"{key} {value}" for key, value in facts)))
    return SignedNote.signed(text, [signer.sign(text)]).encode().decode()


def read_certificate(note: bytes | str, verifiers: Iterable[Verifier]) -> tuple[str, Facts]:
    """Give the kind and the facts of a certificate that one of these keys has signed.

    Raises:
        NoteError: none of the keys has signed it, a signature does not verify, or it is no
            certificate.
    """
    signed = SignedNote.parse(note)
    if not signed.verified(verifiers):
        raise NoteError("no key that was given has signed the certificate")
    kind, *lines = signed.text.removesuffix("\n").split("\n")
    _check_kind(kind)
    if not lines:
        raise NoteError("the certificate states nothing")
    return kind, tuple(_fact(line) for line in lines)


def plain_value(text: str) -> str:
    """Give a text that somebody wrote as a value: on one line, nothing in it that is not seen."""
    shown = "".join(" " if unicodedata.category(one) in _NOT_SHOWN else one for one in text)
    return " ".join(shown.split()) or "-"


def _fact(line: str) -> tuple[str, str]:
    key, _, value = line.partition(" ")
    _check_fact(key, value)
    return key, value


def _check_kind(kind: str) -> None:
    if _KIND.fullmatch(kind) is None:
        raise NoteError("a certificate begins with its kind, such as renkei.destruction/v1")


def _check_fact(key: str, value: str) -> None:
    if _KEY.fullmatch(key) is None:
        raise NoteError("a line of a certificate does not begin with a key")
    if not value or value != value.strip() or _hides(value):
        raise NoteError(f"the value of {key} is empty, or has what cannot be seen")


def _hides(value: str) -> bool:
    return any(unicodedata.category(one) in _NOT_SHOWN for one in value)
