"""The courier of applications against an interface that refuses, fails or misbehaves."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.e_application import courier
from adapters.e_application.courier import carry
from adapters.e_application.interface import Interface, LoginRefused
from adapters.e_application.outcomes import name_of
from adapters.e_application.simulator import application
from adapters.e_application.store import Report
from adapters.simulation.misbehaviour import Misbehaviour
from hub.breaker import Breaker
from hub.edge.http.calls import Caller, CallError, Unavailable
from mappings.e_application import LAYOUT
from schemas.layout import load_layout
from tests.application_rig import DAY, Office, outcome_of, served

pytestmark = pytest.mark.unit


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with served(tmp_path) as made:
        yield made


def test_an_expired_token_is_renewed(office: Office) -> None:
    number = office.apply()
    office.server.token_calls = 1
    office.go(2)
    rig = office.read()
    office.go()
    assert len(rig.broker.queue("hub")) == 1
    assert [report.state for report in office.reports()] == ["received", "processed"]
    assert office.server.logins > 4
    assert office.told == []
    assert number not in office.waiting()


def test_a_wrong_secret_is_told_and_tried_again_slowly(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    async def paused(seconds: float) -> None:
        pauses.append(seconds)
        raise asyncio.CancelledError

    monkeypatch.setattr("adapters.e_application.courier.asyncio.sleep", paused)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(carry(office.errand("wrong")))
    assert pauses == [courier.REFUSED_SECONDS]
    assert office.server.logins == 1
    assert office.told == [("interface", "cannot log in: the interface refuses the secret")]


def test_without_a_token_nothing_is_said(office: Office) -> None:
    office.apply()

    async def ask() -> None:
        async with Caller(office.serving.url, timeout_seconds=5, breaker=Breaker()) as caller:
            interface = Interface(caller, "wrong")
            interface._token = "guessed"  # noqa: S105 - it is none
            with pytest.raises(LoginRefused):
                await interface.page("")

    asyncio.run(ask())


def test_a_server_that_is_down_is_told_and_nothing_is_lost(office: Office) -> None:
    number = office.apply()
    office.serving.manners.down = True
    with pytest.raises(Unavailable):
        office.go()
    office.serving.manners.down = False
    office.go()
    assert office.waiting() == [name_of(number)]


def test_an_answer_that_is_cut_off_is_asked_for_again(office: Office) -> None:
    number = office.apply()
    office.serving.manners.truncated = 1
    office.go()
    assert office.waiting() == [name_of(number)]


def test_an_answer_that_was_not_agreed_is_told_without_saying_it(office: Office) -> None:
    office.apply()
    office.server.store.issue(
        application(load_layout(LAYOUT), DAY.insured[0])["certificate_serial"], "secret", "1"
    )
    sound = office.apply(4, receipt_number="Z1")
    with office.server.store._database() as database:
        database.execute("UPDATE certificate SET resident_code = 'secret' WHERE rowid = 1")
    with pytest.raises(CallError, match="not what was agreed") as error:
        office.go()
    assert "secret" not in str(error.value)
    assert office.waiting() == [name_of(sound)]


def misbehaving(office: Office, *kinds: Misbehaviour) -> None:
    office.server.misbehaves = frozenset(kinds)


def test_a_package_that_comes_truncated_is_refused(office: Office) -> None:
    number = office.apply()
    misbehaving(office, Misbehaviour.TRUNCATED)
    assert outcome_of(office, number) == ("refused", "truncated", "")


def test_a_form_in_a_wrong_encoding_is_refused(office: Office) -> None:
    number = office.apply()
    misbehaving(office, Misbehaviour.WRONG_ENCODING)
    assert outcome_of(office, number) == ("refused", "encoding", "")


def test_what_is_listed_twice_or_under_another_number_is_sent_once(office: Office) -> None:
    number = office.apply()
    misbehaving(office, Misbehaviour.DUPLICATE)
    office.go(2)
    rig = office.read()
    office.go()
    assert len(rig.broker.queue("hub")) == 1
    last = {report.number: report for report in office.reports()}
    assert last[number].state == "processed"
    assert last[f"{number}-2"] == Report(f"{number}-2", "refused", "structure", "")


def test_what_is_listed_out_of_order_is_fetched(office: Office) -> None:
    numbers = [office.apply(place, receipt_number=f"R{place}") for place in range(3)]
    misbehaving(office, Misbehaviour.OUT_OF_ORDER)
    office.go()
    assert office.waiting() == [name_of(number) for number in numbers]
