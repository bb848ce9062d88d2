"""The name under which OpenSSL and Erlang look for an authority's revocation list. Pure."""

import hashlib
from collections.abc import Iterator

from cryptography import x509

_SEQUENCE, _SET, _OID, _UTF_8 = 0x30, 0x31, 0x06, 0x0C
_SHORT = 0x80


def list_name(issuer: x509.Name) -> str:
    """Name the file of an authority's list, as ``openssl crl -hash`` does.

    It is the beginning of the SHA-1 digest of the authority's name in a canonical form: texts in
    UTF-8, ASCII letters small, blanks not doubled. SHA-1 does no more here than name a file.
    """
    canonical = b"".join(_tagged(_SET, b"".join(sorted(_attributes(rdn)))) for rdn in issuer.rdns)
    digest = hashlib.sha1(canonical, usedforsecurity=False).digest()
    return f"{int.from_bytes(digest[:4], 'little'):08x}.r0"


def _attributes(rdn: x509.RelativeDistinguishedName) -> Iterator[bytes]:
    for one in rdn:
        value = one.value if isinstance(one.value, str) else one.value.decode("latin-1")
        small = "".join(char.lower() if char.isascii() else char for char in value)
        text = _tagged(_UTF_8, " ".join(small.split()).encode())
        yield _tagged(_SEQUENCE, _tagged(_OID, _oid(one.oid.dotted_string)) + text)


def _oid(dotted: str) -> bytes:
    first, second, *others = map(int, dotted.split("."))
    return b"".join(map(_base_128, (first * 40 + second, *others)))


def _base_128(number: int) -> bytes:
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(number & 0x7F | 0x80)
    return bytes(reversed(digits))


def _tagged(tag: int, content: bytes) -> bytes:
    """Write a value in DER: its kind, its length, itself."""
    length = len(content)
    if length < _SHORT:
        return bytes([tag, length]) + content
    size = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes([tag, _SHORT | len(size)]) + size + content
