"""Messages of 1 KB with a 個人番号: events of one flow to the same receiver, in clear or sealed."""

import datetime as dt
from collections.abc import Iterator
from functools import partial
from typing import Any

from adapters.simulation.people import my_number
from bench.events import BYTES, RESIDENTS, Made, message_id
from hub.message import AccessItems, Seal, encode_event, partition_of

SENDER = "union"
KIND = "insured.decided"
_ACCESS = AccessItems("S0101", "広域連合資格課", "KOIKI-T01", "x" * 80)
_AT = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


def numbered_events(
    run: str, count: int, seal: Seal | None = None, first: int = 0
) -> Iterator[Made]:
    """Give events about many residents, each with one 個人番号, which ``seal`` encrypts.

    Sealed, each is what it is in clear, and larger by what that takes.
    """
    for number in range(first, first + count):
        person = number % RESIDENTS + 1
        name = message_id(run, number)
        data = _data(person, number // RESIDENTS)
        written = partial(
            encode_event,
            message_id=name,
            system=SENDER,
            message_type=KIND,
            time=_AT,
            data=data,
            access=_ACCESS,
        )
        plain = written()
        body = plain if seal is None else written(seal=seal)
        filled = body[:-1] + b" " * (BYTES - len(plain)) + body[-1:]
        yield Made(name, partition_of(data["addressee_number"]), filled, KIND)


def _data(person: int, history: int) -> dict[str, Any]:
    return {
        "addressee_number": str(person).zfill(15),
        "scope": {"insurance": "current"},
        "my_number": my_number(person),
        "insured_number": str(person).zfill(8),
        "history_number": history,
        "person_kind": "1",
        "name": "髙﨑　花子",
        "name_kana": "ﾀｶｻｷ ﾊﾅｺ",
        "birth_date": {"raw": "1940-05-03", "precision": "day", "date": "1940-05-03"},
        "sex": "2",
        "decided_on": "2026-11-01",
        "copayment_tenths": 1,
    }
