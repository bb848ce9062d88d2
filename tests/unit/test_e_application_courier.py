"""The courier of applications: each comes to the hub once, and what became of it is reported."""

import asyncio
import hashlib
import itertools
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.e_application.interface import Interface
from adapters.e_application.outcomes import name_of
from adapters.e_application.simulator import SIMULATOR
from adapters.e_application.store import Report, Store
from adapters.simulation.city import City
from adapters.simulation.kit import Service, WrittenFile
from adapters.simulation.serving import Serving
from hub.breaker import Breaker
from hub.edge.form import FileFault
from hub.edge.http.calls import Caller
from hub.limits import limited
from hub.pipeline.verdict import Permitted
from schemas.application import ApplicationFiled
from tests.application_rig import DAY, SECRET, SYSTEM, Office, outcome_of, received, served
from tests.samples import NOW, delivery, judge

pytestmark = [pytest.mark.unit, pytest.mark.slow]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with served(tmp_path) as made:
        yield made


def test_an_application_comes_to_the_hub_and_is_reported_on(office: Office) -> None:
    number = office.apply()
    original = (office.theirs / "to-hub" / name_of(number)).read_bytes()
    office.go(2)
    assert office.reports() == [received(number)]
    rig = office.read()
    office.go()
    assert office.reports() == [received(number), Report(number, "processed", "", "")]
    (stored,) = rig.broker.queue("hub")
    event = json.loads(stored.body)
    assert event["type"] == ApplicationFiled.MESSAGE_TYPE
    assert event["data"]["addressee_number"] == DAY.insured[0].person.number
    assert event["data"]["package_digest"] == hashlib.sha256(original).hexdigest()
    verdict = judge().judge(delivery(event, user_id=SYSTEM), NOW)
    assert isinstance(verdict, Permitted)
    (release,) = verdict.releases
    assert release.terms.receiver == "premium-collection"
    with zipfile.ZipFile(office.folders.processed / name_of(number)) as filed:
        assert filed.read("package.zip") == original
    assert office.told == []


def two_days(office: Office) -> list[WrittenFile]:
    days = itertools.islice(City(60).days(), 2)
    return [file for day in days for file in SIMULATOR.write(day, office.theirs)]


def test_a_day_of_applications_is_fetched_once_each(office: Office) -> None:
    written = two_days(office)
    office.go(3)
    rig = office.read()
    office.go(3)
    assert len(rig.broker.queue("hub")) == len(written) > 2
    assert len(office.reports()) == 2 * len(written)
    again = two_days(office)
    assert not any(file.fresh for file in again)


def test_more_applications_than_a_page_has_are_fetched(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.e_application.server.PAGE", 2)
    numbers = [office.apply(place, receipt_number=f"R{place}") for place in range(5)]
    office.go()
    assert office.waiting() == [name_of(number) for number in numbers]


# -- what an application may be ---------------------------------------------------------


def test_a_certificate_of_nobody_is_refused_and_reported(office: Office) -> None:
    number = office.apply()
    with office.server.store._database() as database:
        database.execute("DELETE FROM certificate")
    assert outcome_of(office, number) == ("refused", "record-refused", "certificate_serial")
    rejects = office.folders.rejects_for(name_of(number)).read_text(encoding="utf-8")
    assert "leads to no resident" in rejects


def test_a_wrong_my_number_is_refused_and_reported(office: Office) -> None:
    number = office.apply(my_number="123456789010")
    assert outcome_of(office, number) == ("refused", "record-refused", "my_number")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", FileFault.EMPTY),
        (b"PK\x03\x04 and no more", FileFault.TRUNCATED),
        (b"<html>no package</html>", FileFault.STRUCTURE),
    ],
)
def test_a_package_that_cannot_be_read_is_set_aside_and_reported(
    office: Office, content: bytes, code: str
) -> None:
    office.put("R1", content)
    assert outcome_of(office, "R1") == ("refused", code, "")
    assert (office.folders.set_aside / name_of("R1")).is_file()


def test_a_package_over_the_limit_is_not_fetched_and_is_reported(office: Office) -> None:
    number = office.apply()
    with limited(zip_bytes=100):
        assert outcome_of(office, number) == ("refused", FileFault.TOO_LARGE, "")
    assert [where for where, _ in office.told] == ["application"]
    assert (office.folders.set_aside / name_of(number)).stat().st_size < 1000


@pytest.mark.parametrize("number", ["R..1", "R1%2F..%2Fx", "123456789018"])
def test_a_number_that_cannot_name_a_file_is_told_and_left(office: Office, number: str) -> None:
    office.put(number, b"PK")
    sound = office.apply()
    office.go(2)
    assert office.waiting() == [name_of(sound)]
    ((where, told),) = office.told
    assert where == "application"
    assert number not in told


# -- what may come between ---------------------------------------------------------------


def test_an_application_that_was_withdrawn_is_told_and_holds_up_nobody(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, other = office.apply(), office.apply(4, receipt_number="Z1")
    real = Store.package
    monkeypatch.setattr(
        Store, "package", lambda self, asked: None if asked == number else real(self, asked)
    )
    office.go(2)
    assert office.waiting() == [name_of(other)]
    assert office.told == [
        ("application", f"application {number}: it was listed, and is not there to be fetched")
    ]


def test_a_state_that_the_interface_does_not_take_is_told_once(office: Office) -> None:
    number = office.apply()
    office.go()
    office.server.store.report(Report(number, "received", "another", ""))
    office.go(2)
    assert office.told == [
        ("application", f"application {number}: its state cannot be reported (409)")
    ]


def test_a_file_that_somebody_took_away_is_told_once(office: Office) -> None:
    number = office.apply()
    office.go(2)
    (office.folders.to_hub / name_of(number)).unlink()
    office.go(3)
    assert [where for where, _ in office.told] == ["application"]
    assert "gone" in office.told[0][1]


def test_a_simulator_is_served_by_itself(tmp_path: Path) -> None:
    SIMULATOR.write(DAY, tmp_path)
    assert SIMULATOR.served
    with SIMULATOR.serve(Service(tmp_path, 0, SECRET)) as serving:
        assert isinstance(serving, Serving)

        async def listed() -> int:
            async with Caller(serving.url, timeout_seconds=5, breaker=Breaker()) as caller:
                return len((await Interface(caller, SECRET).page("")).applications)

        assert asyncio.run(listed()) > 1


def test_a_state_out_of_order_is_not_taken_by_the_system(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert not store.report(Report("R1", "processed", "", ""))
    assert store.report(received("R1"))
    assert store.report(received("R1"))
    assert store.report(Report("R1", "refused", "empty", ""))
    assert not store.report(Report("R1", "refused", "another", ""))
    assert not store.report(Report("R1", "processed", "", ""))
    assert len(store.reports()) == 2
