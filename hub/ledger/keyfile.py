"""The keys of a site's pseudonyms, as their file has them: the one in use, and those before it.

The first line is the key in use. Each line after it is a retired one, the newest first, with ``@``
and the number of entries up to which it was in use.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

from pydantic import SecretStr

from hub.errors import SiteError
from hub.ledger.model import Pseudonyms
from hub.secret import SecretPlace

MIN_KEY_CHARACTERS = 32
"""A shorter one could be guessed."""
_NOT_KNOWN = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class RetiredKey:
    """A key that was in use up to the entry of this number; the greatest where none is given."""

    key: str = field(repr=False)
    last: int = _NOT_KNOWN

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read a line."""
        key, _, last = line.rpartition("@")
        is_given = bool(key) and last.isascii() and last.isdecimal() and int(last) < _NOT_KNOWN
        return cls(key, int(last)) if is_given else cls(line)

    def text(self) -> str:
        """Write the line."""
        return self.key if self.last == _NOT_KNOWN else f"{self.key}@{self.last}"


@dataclass(frozen=True, slots=True)
class PseudonymKeys:
    """The keys of a site's pseudonyms.

    Raises:
        ValueError: one is too short, or stands there twice.
    """

    key: str = field(repr=False)
    retired: tuple[RetiredKey, ...] = ()

    def __post_init__(self) -> None:
        keys = list(self._all())
        if any(len(key) < MIN_KEY_CHARACTERS for key in keys):
            which = "is too short: it" if len(keys) == 1 else "has a key that is too short: each"
            message = f"{which} needs {MIN_KEY_CHARACTERS} characters"
            raise ValueError(message)
        if len(set(keys)) != len(keys):
            message = "has the same key twice"
            raise ValueError(message)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the file.

        Raises:
            ValueError: one is too short, or stands there twice.
        """
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return cls("".join(lines[:1]), tuple(map(RetiredKey.parse, lines[1:])))

    def text(self) -> str:
        """Write the file. It is secret."""
        return "\n".join([self.key, *(one.text() for one in self.retired)])

    def rotated(self, key: str, last: int) -> "PseudonymKeys":
        """Put another key in use; there are ``last`` entries by now."""
        return PseudonymKeys(key, (RetiredKey(self.key, last), *self.retired))

    def pseudonyms(self) -> Pseudonyms:
        """Give the digests that are keyed by them."""
        retired = tuple(one.key.encode() for one in self.retired)
        return Pseudonyms(
            self.key.encode(), retired, max((one.last for one in self.retired), default=0)
        )

    def _all(self) -> Iterator[str]:
        yield self.key
        yield from (one.key for one in self.retired)


def pseudonym_keys(source: SecretPlace, secret: SecretStr) -> PseudonymKeys:
    """Give the keys of pseudonyms out of a secret.

    Raises:
        SiteError: one is too short, or stands there twice.
    """
    try:
        return PseudonymKeys.parse(secret.get_secret_value())
    except ValueError as error:
        raise SiteError(f"the secret {source} {error}") from None
