"""How well a person who was found agrees with the one who was asked about, in hundredths.

| item | weight | agrees |
|---|---|---|
| name | 25 | by its characters; variants of a kanji and spaces count as the same |
| kana | 15 | by its characters, whatever their width or size |
| birth date | 35 | whole or not at all; half where only the known parts agree |
| address | 25 | by its characters; the best of all that are known of both |

An item that one side lacks counts neither for nor against. Nobody is taken for the same by one
item alone: without a name, or with nothing beside it, the score stays below ``GOOD`` (III.2 of
the assessment: name plus birth date or address). So it does where neither name nor kana agrees
whole: twins, or father and son, differ by one character. Texts are made alike to be compared,
never kept. Weights and limits are *assumed*.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from schemas.dates import Precision, RegisterDate

GOOD = 75
"""From here on it is the same person."""
DOUBTFUL = 50
"""From here on a person has to look; below it is somebody else."""

WEIGHTS: Mapping[str, int] = {"name": 25, "kana": 15, "birth_date": 35, "address": 25}

_FAR = 0.6
"""Texts that agree less than this do not agree at all."""
_PARTLY = 0.5
_VARIANTS = str.maketrans(
    "髙﨑𠮷邊邉齋齊澤濵濱德嶋嶌國廣櫻惠眞冨舘槇",
    "高崎吉辺辺斎斉沢浜浜徳島島国広桜恵真富館槙",
)
_SMALL = str.maketrans("ァィゥェォッャュョヮ", "アイウエオツヤユヨワ")
_HIRAGANA = {ord("ぁ") + n: ord("ァ") + n for n in range(86)}
_DASH = re.compile(r"[-‐-―−ー－]|丁目|番地の?|番|号|の(?=[0-9])")
_SPACE = re.compile(r"\s+")
_PREFECTURE = re.compile(r"^(北海道|東京都|大阪府|京都府|..県|...県)")
_NUMERALS = {one: str(n) for n, one in enumerate("一二三四五六七八九", 1)} | {"十": "10"}
_CHOME = re.compile("([一二三四五六七八九十])(?=丁目)")


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of a person; empty where it is not."""

    name: str = ""
    kana: str = ""
    birth_date: RegisterDate | None = None
    addresses: tuple[str, ...] = ()


def score(asked: Person, found: Person) -> int:
    """Compare two persons: 0 to 100, and the same whichever is asked about."""
    items = dict(_items(asked, found))
    if not items:
        return 0
    total = sum(WEIGHTS[item] for item in items)
    points = round(100 * sum(WEIGHTS[item] * like for item, like in items.items()) / total)
    named = 1.0 in (items.get("name"), items.get("kana"))
    placed = any((items.get("birth_date"), items.get("address")))
    return points if named and placed else min(points, GOOD - 1)


def _items(one: Person, other: Person) -> Iterable[tuple[str, float]]:
    if one.name and other.name:
        yield "name", likeness(plain_name(one.name), plain_name(other.name))
    if one.kana and other.kana:
        yield "kana", likeness(plain_kana(one.kana), plain_kana(other.kana))
    born = _birth(one.birth_date, other.birth_date)
    if born is not None:
        yield "birth_date", born
    places = [
        likeness(plain_address(here), plain_address(there))
        for here in one.addresses
        for there in other.addresses
        if here and there
    ]
    if places:
        yield "address", max(places)


def plain_name(text: str) -> str:
    """Make names alike that are written differently."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", text)).translate(_VARIANTS).casefold()


def plain_kana(text: str) -> str:
    """Make kana alike that are written differently."""
    wide = unicodedata.normalize("NFKC", _SPACE.sub("", text)).replace("-", "ー")
    return wide.translate(_HIRAGANA).translate(_SMALL)


def plain_address(text: str) -> str:
    """Make addresses alike that are written differently."""
    plain = _SPACE.sub("", unicodedata.normalize("NFKC", text)).translate(_VARIANTS)
    numbered = _CHOME.sub(lambda found: _NUMERALS[found[1]], plain)
    return _DASH.sub("-", _PREFECTURE.sub("", numbered)).strip("-")


def likeness(one: str, other: str) -> float:
    """Say how much of two texts agrees, 0 to 1: one less the share of characters to change."""
    if one == other:
        return 1.0
    like = 1 - _distance(one, other) / max(len(one), len(other))
    return like if like >= _FAR else 0.0


def _distance(one: str, other: str) -> int:
    """Count the characters to add, take away or change (Levenshtein)."""
    row = list(range(len(other) + 1))
    for place, here in enumerate(one, 1):
        above, row[0] = row[0], place
        for column, there in enumerate(other, 1):
            above, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, above + (here != there)),
            )
    return row[-1]


def _birth(one: RegisterDate | None, other: RegisterDate | None) -> float | None:
    """Compare birth dates; ``None`` where one is unknown."""
    if one is None or other is None or one.date is None or other.date is None:
        return None
    precisions = {one.precision, other.precision}
    if precisions == {Precision.DAY}:
        return 1.0 if one.date == other.date else 0.0
    same = one.date.year == other.date.year
    if Precision.YEAR not in precisions:
        same = same and one.date.month == other.date.month
    return _PARTLY if same else 0.0
