"""Which fields of messages hold a 個人番号, and what is written with each under its seal. Pure."""

from functools import cache

from schemas import MESSAGE_TYPES
from schemas.canonical import my_number_fields

_BETWEEN = "\n"


@cache
def sealed_names() -> frozenset[str]:
    """Give the names of the fields of any message type that hold a 個人番号.

    They are sealed wherever they stand in a message's data, whatever its type says: an unknown
    type is refused, and its number is in nobody's clear all the same.
    """
    return frozenset().union(*map(my_number_fields, MESSAGE_TYPES.values()))


def bound(about: tuple[str, ...], name: str, number: str) -> bytes:
    r"""Write a number with what it belongs to, so that it can be put nowhere else.

    >>> bound(("tax", "f-1"), "my_number", "123456789018")
    b'tax\nf-1\nmy_number\n123456789018'
    """
    return _BETWEEN.join((*about, name, number)).encode()


def unbound(text: bytes, parts: int) -> tuple[bytes, bytes, bytes]:
    r"""Take apart what ``bound`` wrote: whose it is (of so many parts), the field, the number.

    >>> unbound(b'tax\nf-1\nmy_number\n123456789018', 2)
    (b'tax\nf-1', b'my_number', b'123456789018')

    Raises:
        ValueError: it has fewer parts.
    """
    *about, name, number = text.split(b"\n", parts + 1)
    if len(about) != parts:
        message = "it has fewer parts"
        raise ValueError(message)
    return b"\n".join(about), name, number
