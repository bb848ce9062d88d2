"""A changed catalogue comes into force whole or not at all, and either is on record."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hub.compose import reload
from hub.compose.checked import load_checked
from hub.compose.reload import POLL_SECONDS, CatalogueWatch, Offer, offered
from hub.compose.rules import Rules
from hub.ledger.changes import CATALOGUE_REFUSED
from hub.ledger.model import Kind
from hub.ledger.schema import migrate
from hub.ledger.store import DatabaseLedger
from hub.pipeline.judge import Judge
from hub.pipeline.verdict import Permitted, Refused
from hub.statute.reasons import Code
from tests.fakes import FakeClock
from tests.plain_site import PLAIN
from tests.samples import CHANGED, FLOW_TOML, NOW, PSEUDONYMS, SIGNER, delivery, event, routes
from tests.servers.ledgers import rows_of
from tests.worker_rig import Fuse, FusedLedger, Observed

pytestmark = [pytest.mark.unit, pytest.mark.slow]

SITE = f"""{PLAIN}
[hub]
password_file = "secrets/hub"
pseudonym_key_file = "secrets/key"
routes = "routes"
"""
CLOSED = """
[catalogue.flows.T1]
close = true
reason = "no more"
decided_by = "somebody"
decided_on = 2026-01-01
"""
BROKEN = FLOW_TOML.replace("valid_from = 2020-01-01", "valid_from = ")
SECOND = FLOW_TOML.replace('"T1"', '"T2"').replace("income", "x")


@dataclass
class Office:
    """A site with one flow, its ledger, and a process that watches over its catalogue."""

    folder: Path
    clock: FakeClock = field(default_factory=FakeClock)
    observed: Observed = field(default_factory=Observed)

    def __post_init__(self) -> None:
        (self.folder / "secrets").mkdir()
        texts = {"hub": "hub" * 40, "key": "key" * 40, "ledger-key": SIGNER.text()}
        for name, text in texts.items():
            secret = self.folder / "secrets" / name
            secret.write_text(text)
            secret.chmod(0o600)
        self.say(SITE)
        self.put("T1.toml", FLOW_TOML)
        url = f"sqlite:///{self.folder / 'ledger.sqlite3'}"
        migrate(url)
        self.ledger = FusedLedger(DatabaseLedger(url, SIGNER), Fuse())
        self.start()

    @property
    def site_file(self) -> Path:
        return self.folder / "site.toml"

    def say(self, site: str) -> None:
        self.site_file.write_text(site)

    def put(self, name: str, text: str) -> None:
        routes(self.folder / "routes", {name: text})

    def start(self) -> None:
        site, catalogue = load_checked(self.site_file)
        self.watch = CatalogueWatch(self.site_file, site, catalogue, monotonic=self.clock.now)
        self.rules = Rules(
            self.watch,
            lambda offer: Judge(offer, PSEUDONYMS, 90),
            ledger=self.ledger,
            observe=self.observed,
            clock=lambda: NOW,
        )

    def looks(self, times: int = 2) -> Judge:
        """Let so many polls pass; give the judge after them."""
        for _ in range(times):
            self.clock.advance(POLL_SECONDS)
            judge = self.rules()
        return judge

    def changes(self) -> list[tuple[str, str, str]]:
        """Give digest, code and detail of the entries about the catalogue."""
        rows = [one for one in rows_of(self.ledger._ledger) if one["kind"] == Kind.CATALOGUE_CHANGE]
        return [(str(one["digest"]), str(one["code"]), str(one["detail"])) for one in rows]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.ledger.close()


def code(judge: Judge) -> Code | None:
    """Say why a message of the one flow is refused, if it is."""
    verdict = judge.judge(delivery(event(source="/systems/alpha", type=CHANGED)), NOW)
    assert isinstance(verdict, Permitted | Refused)
    return verdict.code if isinstance(verdict, Refused) else None


def test_the_first_start_is_recorded_and_a_second_is_not(office: Office) -> None:
    digest = office.watch.catalogue.digest
    assert office.changes() == [(digest, "", "before none")]
    office.start()
    assert len(office.changes()) == 1
    assert office.observed.catalogues == [digest, digest]


def test_a_change_while_nothing_ran_is_recorded_at_the_next_start(office: Office) -> None:
    before = office.watch.catalogue.digest
    office.say(SITE + CLOSED)
    office.start()
    after = office.watch.catalogue.digest
    assert after != before
    assert office.changes()[1:] == [(after, "", f"before {before}")]
    assert code(office.rules()) is Code.CLOSED


def test_a_changed_route_takes_over_once_it_stands_still(office: Office) -> None:
    before = office.watch.catalogue.digest
    office.looks()
    assert code(office.rules()) is None
    office.put("T1.toml", FLOW_TOML.replace("2020-01-01", "2030-01-01"))
    assert code(office.looks(1)) is None
    assert code(office.looks(1)) is Code.NOT_IN_FORCE
    after = office.watch.catalogue.digest
    assert office.changes()[1:] == [(after, "", f"before {before}; T1 changed")]
    assert office.observed.catalogues == [before, after]
    assert office.observed.entries[-1].kind is Kind.CATALOGUE_CHANGE
    office.looks(5)
    assert len(office.changes()) == 2


def test_files_that_keep_changing_are_waited_for(office: Office) -> None:
    office.looks()
    for day in range(1, 6):
        office.put("T1.toml", FLOW_TOML.replace("2020-01-01", f"2030-01-0{day}"))
        assert code(office.looks(1)) is None
    assert code(office.looks(1)) is Code.NOT_IN_FORCE


def test_a_decision_in_the_site_file_takes_over(office: Office) -> None:
    office.looks()
    before = office.watch.catalogue.digest
    office.say(SITE + CLOSED)
    assert code(office.looks()) is Code.CLOSED
    after = office.watch.catalogue.digest
    office.say(SITE)
    assert code(office.looks()) is None
    assert office.changes()[1:] == [
        (after, "", f"before {before}; T1 closed"),
        (before, "", f"before {after}; T1 opened"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("T1.toml", BROKEN, "T1.toml:"),
        ("T2.toml", SECOND.replace("beta", "beto"), "T2.toml:"),
        ("T2.toml", FLOW_TOML, "named T1.toml"),
        ("systems.toml", "", "systems.toml:"),
    ],
)
def test_a_catalogue_with_a_fault_is_refused_whole(
    office: Office, name: str, text: str, fault: str
) -> None:
    office.looks()
    before = office.watch.catalogue
    office.put("T3.toml", SECOND.replace("T2", "T3"))
    (office.folder / "routes" / name).write_text(text)
    assert code(office.looks()) is None
    assert office.watch.catalogue is before
    ((digest, told, detail),) = office.changes()[1:]
    assert digest != before.digest
    assert told == CATALOGUE_REFUSED
    assert detail.startswith(f"in force {before.digest}; ")
    assert fault in detail
    assert office.observed.catalogues == [before.digest, "refused"]
    # Touched again with the same content, it is the same catalogue: told once.
    (office.folder / "routes" / name).write_text(text)
    office.looks(4)
    assert len(office.changes()) == 2


@pytest.mark.parametrize("site", ["no toml [", SITE.replace("routes", "rotes"), ""])
def test_a_site_file_with_a_fault_is_refused(office: Office, site: str) -> None:
    office.looks()
    office.say(site)
    assert code(office.looks()) is None
    assert office.changes()[1][1] == CATALOGUE_REFUSED
    office.say(SITE)
    office.looks()
    assert len(office.changes()) == 2
    office.say(site)
    office.looks()
    assert len(office.changes()) == 3


def test_a_decision_that_widens_is_refused(office: Office) -> None:
    office.looks()
    office.say(SITE + CLOSED.replace("close = true", 'receivers = {aside = {fields = ["name"]}}'))
    assert code(office.looks()) is None
    assert "site.toml:" in office.changes()[1][2]


def test_a_folder_that_is_gone_is_refused(office: Office) -> None:
    office.looks()
    (office.folder / "routes").rename(office.folder / "away")
    assert code(office.looks()) is None
    assert office.changes()[1][1] == CATALOGUE_REFUSED
    (office.folder / "away").rename(office.folder / "routes")
    office.looks()
    assert len(office.changes()) == 2


def test_a_system_that_has_no_queue_yet_needs_a_new_start(office: Office) -> None:
    office.looks()
    systems = (office.folder / "routes" / "systems.toml").read_text()
    more = systems + systems.split("[[system]]")[1].join(["[[system]]", ""]).replace(
        "alpha", "gamma"
    )
    (office.folder / "routes" / "systems.toml").write_text(more)
    (office.folder / "routes" / "T2.toml").write_text(SECOND.replace("beta", "gamma"))
    assert code(office.looks()) is None
    assert "gamma is new: run renkei broker apply" in office.changes()[1][2]


def test_what_cannot_be_recorded_does_not_come_into_force(office: Office) -> None:
    office.looks()
    office.say(SITE + CLOSED)
    office.ledger.broken = 2
    assert code(office.looks(3)) is None
    assert office.observed.available == [False, False]
    assert len(office.changes()) == 1
    assert code(office.looks(1)) is Code.CLOSED
    assert len(office.changes()) == 2


def test_two_workers_record_a_change_once(office: Office) -> None:
    first = office.rules
    office.start()
    office.say(SITE + CLOSED)
    for _ in range(3):
        office.clock.advance(POLL_SECONDS)
        assert first().catalogue.digest
        office.rules()
    assert code(first()) is code(office.rules()) is Code.CLOSED
    assert len(office.changes()) == 2


def test_the_files_are_looked_at_now_and_then_only(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.looks()
    looked: list[object] = []
    watch = office.watch
    monkeypatch.setattr(watch, "_look", lambda: looked.append(1) or watch._judged)
    for _ in range(100):
        office.clock.advance(POLL_SECONDS / 50)
        office.rules()
    assert len(looked) in {1, 2}


def test_changing_says_whether_the_files_were_judged(office: Office) -> None:
    assert office.watch.changing()
    office.looks()
    assert not office.watch.changing()
    office.say(SITE + CLOSED)
    assert office.watch.changing()
    office.looks()
    assert not office.watch.changing()
    office.put("T1.toml", BROKEN)
    office.looks()
    assert not office.watch.changing()


def test_an_offer_is_the_same_catalogue_as_a_start_reads(office: Office) -> None:
    office.say(SITE + CLOSED)
    site, catalogue = load_checked(office.site_file)
    assert site.hub.routes is not None
    assert offered(office.site_file, catalogue.systems) == Offer(catalogue.digest, catalogue)


def test_what_changes_while_it_is_read_is_read_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.looks()
    before = office.watch.catalogue.digest

    def disturbed(path: Path, known: Any) -> Offer:  # noqa: ANN401
        found = offered(path, known)
        monkeypatch.setattr(reload, "offered", offered)
        office.put("T2.toml", SECOND)
        return found

    monkeypatch.setattr(reload, "offered", disturbed)
    office.put("T1.toml", FLOW_TOML.replace("2020-01-01", "2030-01-01"))
    assert code(office.looks()) is None
    assert office.watch.catalogue.digest == before
    office.looks()
    assert office.changes()[1][2] == f"before {before}; T1 changed, T2 added"
    assert len(office.changes()) == 2
