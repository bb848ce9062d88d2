"""Made-up names, some with characters that hurt: outside JIS X 0208, outside cp932, half-width."""

import random
import tomllib
import unicodedata
from importlib import resources
from typing import NamedTuple


class Name(NamedTuple):
    """A name or a part of one, and its kana."""

    text: str
    kana: str


def _lists() -> dict[str, tuple[Name, ...]]:
    text = (resources.files(__package__) / "names.toml").read_text(encoding="utf-8")
    return {key: tuple(Name(*pair) for pair in pairs) for key, pairs in tomllib.loads(text).items()}


_NAMES = _lists()
FEMALE = "2"


def surname(rng: random.Random, *, hard: bool) -> Name:
    """Draw a surname; a hard one has a character that some encoding lacks."""
    return rng.choice(_NAMES["hard_surnames" if hard else "surnames"])


def full_name(rng: random.Random, family: Name, sex: str, *, narrow: bool) -> Name:
    """Draw a given name for a family's member; ``narrow`` writes the kana in half width."""
    given = rng.choice(_NAMES["female" if sex == FEMALE else "male"])
    kana = f"{family.kana} {given.kana}"
    return Name(f"{family.text}　{given.text}", half_width(kana) if narrow else kana)


def foreign_name(rng: random.Random) -> Name:
    """Draw a name in Latin letters."""
    return rng.choice(_NAMES["foreign"])


def common_name(rng: random.Random, sex: str) -> str:
    """Draw a 通称."""
    return full_name(rng, surname(rng, hard=False), sex, narrow=False).text


def half_width(kana: str) -> str:
    """Write full-width kana in half width, a voiced one as two characters.

    >>> half_width("ガク ハシ")
    'ｶﾞｸ ﾊｼ'
    """
    return "".join(_NARROW.get(char, char) for char in kana)


def _narrow_table() -> dict[str, str]:
    plain = [chr(point) for point in range(0xFF66, 0xFF9E)]
    voiced = [char + mark for char in plain for mark in "ﾞﾟ"]
    pairs = [(unicodedata.normalize("NFKC", narrow), narrow) for narrow in plain + voiced]
    return {wide: narrow for wide, narrow in pairs if len(wide) == 1}


_NARROW = _narrow_table()
