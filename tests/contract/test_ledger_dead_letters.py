"""Dead letters beside the entries: once for each death, by list, older and newer, and verified."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from hub.errors import LedgerError
from hub.ledger.asides import Wanted, listed
from hub.ledger.beside import Aside, Beside, Cause, Shelf, State, Step, Turn
from hub.ledger.model import Entry, Kind
from hub.ledger.store import DatabaseLedger
from hub.ledger.vault import vault_of
from hub.ledger.verify.ledger import verify
from hub.message import MessageKey
from tests.samples import CHANGED, NOW, PSEUDONYMS, REGISTRY, SIGNER, entry
from tests.servers.ledgers import execute, opened

pytestmark = pytest.mark.contract

RESIDENT = PSEUDONYMS.resident("1")
VAULT = vault_of(PSEUDONYMS)
BODY = b"a copy that nobody may read"
UNION = "union"


@pytest.fixture
def ledger(url: str) -> Iterator[DatabaseLedger]:
    with opened(url) as one:
        yield one


def about(message_id: str, kind: Kind, receiver: str = UNION, **changes: object) -> Entry:
    said = {"flow": "M1b" if receiver else "", "receiver": receiver, "resident": RESIDENT}
    return entry(kind=kind, message=MessageKey(REGISTRY, message_id), **{**said, **changes})


def dead(message_id: str, mark: str = "", receiver: str = UNION, place: int = 0) -> Aside:
    step = Step.RECEIVE if receiver else Step.TAKE
    return Aside(
        place,
        MessageKey(REGISTRY, message_id),
        CHANGED,
        RESIDENT,
        "not-accepted",
        "3",
        NOW,
        partial(VAULT.seal, body=BODY),
        Cause(step, "rejected in out.union", '{"times": 1}', mark, NOW),
        "M1b" if receiver else "",
        receiver,
    )


def accept(ledger: DatabaseLedger, *ids: str, receiver: str = UNION) -> None:
    ledger.append([about(one, Kind.ACCEPTANCE, receiver) for one in ids])


def bury(ledger: DatabaseLedger, message_id: str, receiver: str = UNION, mark: str = "") -> int:
    before = ledger.size()
    ledger.append(
        [about(message_id, Kind.DEAD_LETTER, receiver, code="not-accepted")],
        Beside(asides=[dead(message_id, mark, receiver)]),
    )
    return before + 1


def turn(  # noqa: PLR0913, PLR0917 - what a turn is
    ledger: DatabaseLedger, number: int, was: State, now: State, code: str = "", asked: int = 0
) -> None:
    turns = Beside(turns=[Turn(number, was, now, asked=asked)])
    ledger.append([about("a1", Kind.REPLAY, code=code)], turns)


def overtaken(ledger: DatabaseLedger, *numbers: int) -> set[int]:
    return set(ledger.confirmations(numbers)[1])


def test_it_is_kept_with_its_cause(ledger: DatabaseLedger) -> None:
    accept(ledger, "a1")
    number = bury(ledger, "a1", mark="m1")
    (one,) = ledger.confirmations([number])[0].values()
    assert one.cause == Cause(Step.RECEIVE, "rejected in out.union", '{"times": 1}', "m1", NOW)
    assert (one.shelf, one.flow, one.receiver, one.age) == (Shelf.DEAD_LETTER, "M1b", UNION, 1)
    assert VAULT.open(number, one.sealed) == BODY
    known = ledger.known([one.key])[one.key]
    pair = ("M1b", UNION)
    assert (known.settled, known.dead, known.dead_as) == ({pair}, {pair}, None)
    assert verify(ledger.engine, SIGNER.verifier).good


def test_what_was_decided_about_it_is_remembered(ledger: DatabaseLedger) -> None:
    accept(ledger, "a1")
    bury(ledger, "a1")
    key = MessageKey(REGISTRY, "a1")
    for code in ("requested", "declined", "discard-requested"):
        ledger.append([about("a1", Kind.REPLAY, code=code)])
        assert ledger.known([key])[key].dead
    ledger.append([about("a1", Kind.REPLAY)])
    assert not ledger.known([key])[key].dead
    bury(ledger, "b1", "")
    other = MessageKey(REGISTRY, "b1")
    assert ledger.known([other])[other].dead_as is not None
    ledger.append([about("b1", Kind.REPLAY, "", code="discarded")])
    assert ledger.known([other])[other].dead_as is None


def test_a_death_that_another_worker_recorded_is_not_recorded_again(
    url: str, ledger: DatabaseLedger
) -> None:
    accept(ledger, "a1")
    ledger.known([MessageKey(REGISTRY, "a1")])
    assert ledger.recorded_deaths(["m1", "m2", ""]) == {}
    other = DatabaseLedger(url, SIGNER)
    number = bury(other, "a1", mark="m1")
    with pytest.raises(LedgerError, match="ask again"):
        bury(ledger, "a1", mark="m1")
    assert ledger.recorded_deaths(["m1", "m2"]) == {"m1": True}
    turn(other, number, State.OPEN, State.DISCARDED, "discarded")
    assert ledger.recorded_deaths(["m1"]) == {"m1": True}
    again = bury(other, "a1", mark="m2")
    for was, now in ((State.OPEN, State.RELEASED), (State.RELEASED, State.MOVED)):
        turn(other, again, was, now, "")
    other.close()
    assert ledger.recorded_deaths(["m1", "m2"]) == {"m1": True, "m2": False}


def test_both_lists_are_apart(ledger: DatabaseLedger) -> None:
    accept(ledger, "a1")
    number = bury(ledger, "a1")
    held = replace(dead("h1"), cause=None, flow="", receiver="")
    ledger.append([about("h1", Kind.HOLD)], Beside(asides=[held]))
    with ledger.engine.connect() as connection:
        found = {shelf: [one.id for one in listed(connection, Wanted(shelf), 9)] for shelf in Shelf}
        asked = [
            len(listed(connection, Wanted(Shelf.DEAD_LETTER, **question), 9))  # type: ignore[arg-type]
            for question in (
                {"receiver": UNION},
                {"receiver": "tax"},
                {"flow": "M1b", "step": Step.RECEIVE},
                {"step": Step.SEND},
                {"since": NOW},
                {"since": NOW + dt.timedelta(seconds=1)},
                {"request": 7},
            )
        ]
    assert found == {Shelf.DEAD_LETTER: [number], Shelf.CONFIRMATION: [number + 1]}
    assert asked == [1, 0, 1, 0, 1, 0, 0]


def test_a_request_has_the_number_of_its_first_entry(ledger: DatabaseLedger) -> None:
    accept(ledger, "a1", "a2")
    rows = [bury(ledger, "a1"), bury(ledger, "a2")]
    asked = [about(one, Kind.REPLAY, code="requested") for one in ("a1", "a2")]
    number = ledger.size() + 1
    turns = [Turn(row, State.OPEN, State.REQUESTED, 0) for row in rows]
    ledger.append(asked, Beside(turns=turns))
    found = ledger.confirmations(rows)[0]
    assert {one.request for one in found.values()} == {number}
    assert {one.decided for one in found.values()} == {number}
    assert verify(ledger.engine, SIGNER.verifier).good
    assert ledger.released() == []
    for end in (State.RELEASED, State.OPEN):
        with pytest.raises(LedgerError, match="meanwhile"):
            turn(ledger, rows[0], State.REQUESTED, end, asked=number + 1)
    turn(ledger, rows[0], State.REQUESTED, State.RELEASED, asked=number)
    turn(ledger, rows[1], State.REQUESTED, State.OPEN, "declined", number)
    first, second = (ledger.confirmations(rows)[0][row] for row in rows)
    assert (first.request, second.request, second.decided) == (number, 0, 0)
    assert ledger.released() == [(rows[0], "3")]
    turn(ledger, rows[0], State.RELEASED, State.SENDING)
    assert ledger.released() == [(rows[0], "3")]
    assert verify(ledger.engine, SIGNER.verifier).good


def test_only_what_the_receiver_was_sent_later_overtakes_a_copy(ledger: DatabaseLedger) -> None:
    accept(ledger, "a1")
    number = bury(ledger, "a1")
    accept(ledger, "a2", receiver="tax")
    assert overtaken(ledger, number) == set()
    accept(ledger, "a3")
    assert overtaken(ledger, number) == {number}


def test_what_died_on_the_same_way_overtakes_only_once_it_was_sent(ledger: DatabaseLedger) -> None:
    accept(ledger, "a1", "a2")
    first, second = bury(ledger, "a1"), bury(ledger, "a2")
    assert overtaken(ledger, first, second) == set()
    turn(ledger, second, State.OPEN, State.RELEASED)
    assert overtaken(ledger, first, second) == set()
    turn(ledger, second, State.RELEASED, State.SENDING)
    assert overtaken(ledger, first, second) == {first}
    turn(ledger, second, State.SENDING, State.MOVED)
    assert overtaken(ledger, first) == {first}


def test_what_is_on_its_way_is_overtaken_only_by_what_the_receiver_was_sent(
    ledger: DatabaseLedger,
) -> None:
    accept(ledger, "a1")
    number = bury(ledger, "a1")
    turn(ledger, number, State.OPEN, State.RELEASED)
    turn(ledger, number, State.RELEASED, State.SENDING)
    accept(ledger, "a2")
    accept(ledger, "a2", receiver="tax")
    ledger.append([about("a2", Kind.DELIVERY, "tax")])
    assert overtaken(ledger, number) == set()
    ledger.append([about("a2", Kind.DELIVERY)])
    assert overtaken(ledger, number) == {number}


@pytest.mark.parametrize(("seconds", "is_newer"), [(-60, False), (60, True)])
def test_an_original_is_as_old_as_its_death(
    ledger: DatabaseLedger, seconds: int, *, is_newer: bool
) -> None:
    at = NOW + dt.timedelta(seconds=seconds)
    ledger.append([about("a2", Kind.ACCEPTANCE, at=at)])
    number = bury(ledger, "a1", "")
    assert overtaken(ledger, number) == ({number} if is_newer else set())


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger_asides SET receiver = 'tax'",
        "UPDATE ledger_asides SET flow = ''",
        "UPDATE ledger_asides SET list = 'confirmation'",
        "UPDATE ledger_asides SET state = 'requested', decided = 1",
        "UPDATE ledger_asides SET state = 'released'",
    ],
)
def test_what_is_not_as_it_was_written_is_found(
    url: str, ledger: DatabaseLedger, change: str
) -> None:
    accept(ledger, "a1")
    bury(ledger, "a1")
    assert verify(ledger.engine, SIGNER.verifier).good
    execute(url, change)
    assert "ledger_asides" in verify(ledger.engine, SIGNER.verifier).fault
