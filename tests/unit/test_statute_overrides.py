"""What a site may decide about flows, and that it can never widen what the document says."""

import datetime as dt
import tomllib
from pathlib import Path

import pytest

from hub.site import CatalogueSite
from hub.statute.catalogue import load_catalogue
from hub.statute.explain import explain
from hub.statute.findings import Fault
from hub.statute.model import Standing, State
from hub.statute.overrides import Change, Effective, decided, differences
from hub.statute.reasons import Code
from hub.statute.rules import rule
from tests.samples import FLOW_TOML, routes

pytestmark = pytest.mark.unit

CATALOGUE = load_catalogue()
TODAY = dt.date(2026, 4, 1)
EVE = dt.date(2026, 3, 31)
BY = 'decided_by = "保険年金課長"\ndecided_on = 2026-04-01\n'
BASIS = 'basis = [{ law = "試験法", article = "1条", valid_from = 2023-07-07 }]\n'
CLOSE_B1 = "[flows.B1]\nclose = true\nreason = '契約の終了'\n" + BY
I12A = "[flows.I12a]\n" + BASIS + BY
M3 = (
    "[flows.M3]\nfrequency = '毎年1月'\n"
    + BY
    + "[flows.M3.whose]\nrule = 'insured-household'\ntext = '納付した者'\n"
    + "[flows.M3.receivers.tax]\nfields = ['addressee_number', 'paid_year', 'paid_amount']\n"
)
M4 = (
    "[flows.M4]\nmessage_type = 'arrears.recorded'\npurpose = 'p'\nfrequency = 'f'\n"
    + BASIS
    + BY
    + "[flows.M4.whose]\nrule = 'insured-household'\ntext = '納付した者'\n"
    + "[flows.M4.receivers.welfare]\nfields = ['addressee_number', 'unpaid_amount']\n"
)
OWN = (
    "[own.K1]\ntitle = 't'\ntitle_ja = 't'\nsender = 'premium-collection'\n"
    "message_type = 'arrears.recorded'\npurpose = 'p'\nfrequency = 'f'\ntransport = 't'\n"
    "section = '条例'\n" + BASIS + BY + "[own.K1.whose]\nrule = 'insured-household'\n"
    "text = 'w'\n[own.K1.receivers.tax]\nfields = ['addressee_number', 'unpaid_amount']\n"
)


def after(text: str) -> Effective:
    return decided(CATALOGUE, CatalogueSite.model_validate(tomllib.loads(text)))


def sound(text: str) -> Effective:
    effective = after(text)
    assert effective.faults == ()
    return effective


def faults_of(text: str) -> list[Fault]:
    effective = after(text)
    assert effective.faults
    assert effective.catalogue.flows == CATALOGUE.flows
    assert effective.changes == ()
    return list(effective.faults)


def standing(effective: Effective, ref: str, day: dt.date) -> Standing:
    flow = effective.catalogue.flow(ref)
    assert flow is not None
    return flow.standing(day)


def test_no_decision_changes_nothing() -> None:
    effective = after("")
    assert effective.catalogue is CATALOGUE
    assert effective.changes == ()


def test_a_closed_flow_moves_no_more_from_its_day_on() -> None:
    effective = sound(CLOSE_B1)
    asked = ("premium-collection", "account-transfer.requested")
    ruling = rule(effective.catalogue, *asked, TODAY)
    assert ruling.code is Code.CLOSED
    assert "保険年金課長" not in ruling.detail
    assert rule(effective.catalogue, *asked, EVE).code is None
    assert standing(effective, "B2", TODAY) is Standing.PERMITTED


@pytest.mark.parametrize(
    ("text", "ref", "ends"),
    [
        (I12A, "I12a", ("premium-collection", "deposit-inquiry", "deposit.requested")),
        (M3, "M3", ("premium-collection", "tax", "premium.paid-yearly")),
        (M4, "M4", ("premium-collection", "welfare", "arrears.recorded")),
    ],
)
def test_a_completed_flow_moves_from_its_day_on(
    text: str, ref: str, ends: tuple[str, str, str]
) -> None:
    catalogue = sound(text).catalogue
    sender, receiver, message_type = ends
    for day, due in ((EVE, False), (TODAY, True)):
        moving = {
            found.flow.ref: receiver in found.leg.receivers
            for found in rule(catalogue, sender, message_type, day).flows
        }
        assert moving.get(ref, False) is due
        (said,) = explain(catalogue, day, ref=ref)
        assert said.permitted is due
        assert "2026-04-01" in said.reason.en
    (said,) = explain(catalogue, TODAY, ref=ref)
    assert "保険年金課長" in said.reason.ja


@pytest.mark.parametrize(
    ("text", "ref", "lasting"),
    [
        ("[flows.M1e]\nretry_minutes = 90\n" + BY, "M1e", (90, None)),
        ("[flows.M1e]\nexpires_hours = 6\n" + BY, "M1e", (1440, 6)),
        (I12A + "retry_minutes = 2880\nexpires_hours = 720\n", "I12a", (2880, 720)),
        (OWN.replace("section", "retry_minutes = 5\nsection"), "K1", (5, None)),
    ],
)
def test_a_site_says_for_how_long_copies_are_tried_and_kept(
    text: str, ref: str, lasting: tuple[int, int | None]
) -> None:
    effective = sound(text)
    flow = effective.catalogue.flow(ref)
    assert flow is not None
    retry, expires = lasting
    assert flow.lasting.retry == dt.timedelta(minutes=retry)
    assert flow.lasting.expires == (None if expires is None else dt.timedelta(hours=expires))
    assert flow.standing(TODAY) is Standing.PERMITTED
    assert [change.ref for change in effective.changes] == [ref]


def test_only_how_long_copies_last_is_changed_by_that() -> None:
    flow = sound("[flows.M1e]\nretry_minutes = 90\nexpires_hours = 6\n" + BY).catalogue.flow("M1e")
    stated = CATALOGUE.flow("M1e")
    assert flow is not None
    assert stated is not None
    lasting = {"retry_minutes", "expires_hours", "timed"}
    assert flow.model_dump(exclude=lasting) == stated.model_dump(exclude=lasting)
    assert flow.timed is not None
    assert flow.timed.by == "保険年金課長"


def test_the_citys_own_flow_moves_from_its_day_on() -> None:
    effective = sound(OWN)
    assert standing(effective, "K1", EVE) is Standing.NOT_IN_FORCE
    assert standing(effective, "K1", TODAY) is Standing.PERMITTED
    found = rule(effective.catalogue, "premium-collection", "arrears.recorded", TODAY).flows
    assert [one.flow.ref for one in found] == ["M1g", "K1"]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        # a denied flow is never widened
        ("[flows.X1]\n" + BASIS + BY, ("flows", "X1", "basis"), "X1 is denied"),
        ("[flows.X1]\nstate = 'permitted'\n" + BY, ("flows", "X1", "state"), "X1 is denied"),
        (
            OWN.replace("arrears.recorded", "information.provided")
            .replace("sender = 'premium-collection'", "sender = 'number-linkage'")
            .replace("K1.receivers.tax", "K1.receivers.intermediate-server"),
            ("own", "K1", "receivers", "intermediate-server"),
            "is X1 (denied)",
        ),
        # nor a permitted one
        ("[flows.B1]\n" + BASIS + BY, ("flows", "B1", "basis"), "a site may close it"),
        (
            "[flows.M6.receivers.tax]\nfields = ['paid_amount']\n",
            ("flows", "M6", "receivers"),
            "change nothing else",
        ),
        (
            OWN.replace("K1.receivers.tax", "K1.receivers.union"),
            ("own", "K1", "receivers", "union"),
            "is M1g (permitted): K1 cannot stand in for it",
        ),
        (
            OWN.replace("arrears.recorded", "deposit.requested")
            .replace("K1.receivers.tax", "K1.receivers.deposit-inquiry")
            .replace("unpaid_amount", "request_id"),
            ("own", "K1", "receivers", "deposit-inquiry"),
            "is I12a (held)",
        ),
        # nor under the way of another that is limited or denied
        (
            M3.replace("M3.receivers.tax", "M3.receivers.welfare"),
            ("flows", "M3", "receivers", "welfare"),
            "is M6 (permitted): M3 cannot stand in for it",
        ),
        (
            OWN.replace("sender = 'premium-collection'", "sender = 'number-linkage'").replace(
                "K1.receivers.tax", "K1.receivers.intermediate-server"
            ),
            ("own", "K1", "receivers", "intermediate-server"),
            "X1 from number-linkage to intermediate-server is denied",
        ),
        # how long copies last is the site's own, within limits, and alone
        ("[flows.M1e]\nretry_minutes = 0\n" + BY, ("flows", "M1e", "retry_minutes"), "greater"),
        ("[flows.M1e]\nexpires_hours = 721\n" + BY, ("flows", "M1e", "expires_hours"), "less"),
        (
            "[flows.M1e]\nretry_minutes = 5\ntransport = 't'\n" + BY,
            ("flows", "M1e", "transport"),
            "change nothing else but retry_minutes and expires_hours",
        ),
        ("[flows.M1e]\n" + BY, ("flows", "M1e"), "change nothing else but"),
        ("[flows.X1]\nretry_minutes = 5\n" + BY, ("flows", "X1", "retry_minutes"), "X1 is denied"),
        ("[flows.M1e]\nretry_minutes = 5\n", ("flows", "M1e", "decided_by"), "Field required"),
        # nobody decides in blanks
        (
            CLOSE_B1.replace("保険年金課長", "  "),
            ("flows", "B1", "decided_by"),
            "pattern",
        ),
        # a held one gets what is missing, no more and no less
        (
            "[flows.I12a]\nmessage_type = 'deposit.found'\n" + BASIS + BY,
            ("flows", "I12a", "message_type"),
            "stated by the document",
        ),
        (
            I12A + "[flows.I12a.receivers.tax]\nfields = ['name']\n",
            ("flows", "I12a", "receivers"),
            "stated by the document",
        ),
        ("[flows.I12a]\n" + BY, ("flows", "I12a"), "lacks its basis: basis is not given"),
        (
            M3.replace("frequency = '毎年1月'\n", ""),
            ("flows", "M3"),
            "lacks its frequency: frequency is not given",
        ),
        (
            M4.replace("M4.receivers.welfare", "M4.receivers.tax"),
            ("flows", "M4", "receivers", "tax"),
            "names welfare as the receiver of M4",
        ),
        (
            M3.replace("M3.receivers.tax", "M3.receivers.tax-arrears"),
            ("flows", "M3", "receivers", "tax-arrears"),
            "is a neighbour",
        ),
        (
            M3.replace("'paid_amount'", "'my_number'"),
            ("flows", "M3", "receivers", "tax", "fields"),
            "is a 個人番号; my_number = true is not said",
        ),
        (
            M3.replace("insured-household", "everybody"),
            ("flows", "M3", "whose", "rule"),
            "everybody is none of",
        ),
        (I12A.replace("valid_from", "valid_form"), ("flows", "I12a", "basis", 0), "valid_from"),
        # a decision has a person and a day
        (CLOSE_B1.replace(BY, ""), ("flows", "B1", "decided_by"), "Field required"),
        (CLOSE_B1.replace("保険年金課長", ""), ("flows", "B1", "decided_by"), "at least 1"),
        (CLOSE_B1.replace("true", "false"), ("flows", "B1", "close"), "Input should be True"),
        (
            CLOSE_B1.replace("reason = '契約の終了'\n", ""),
            ("flows", "B1", "reason"),
            "Field required",
        ),
        (CLOSE_B1 + BASIS, ("flows", "B1", "basis"), "Extra inputs"),
        (
            I12A.replace("decided_on = 2026-04-01\n", ""),
            ("flows", "I12a", "decided_on"),
            "Field required",
        ),
        (OWN.replace(BY, ""), ("own", "K1", "decided_by"), "Field required"),
        # what is decided about has to be there, or must not
        (CLOSE_B1.replace("B1", "B3"), ("flows", "B3"), "the catalogue has no flow B3"),
        (OWN.replace("K1", "B1"), ("own", "B1"), "B1 is a flow of the document"),
        (
            OWN.replace("[own.K1]", "[own.K1]\nref = 'K2'"),
            ("own", "K1", "ref"),
            "reference of this flow is K1",
        ),
        (
            OWN.replace("[own.K1]", "[own.K1]\nstate = 'denied'"),
            ("own", "K1", "state"),
            "is permitted, or is not there",
        ),
        (OWN.replace("K1", "k"), ("own", "k", "ref"), "String should match"),
        (
            OWN.replace("K1.receivers.tax", "K1.receivers.tx"),
            ("own", "K1", "receivers", "tx"),
            "tx",
        ),
        (
            OWN.replace("unpaid_amount", "shoe_size"),
            ("own", "K1", "receivers", "tax", "fields"),
            "has no field shoe_size",
        ),
    ],
)
def test_what_a_site_may_not_decide(text: str, place: tuple[str | int, ...], words: str) -> None:
    faults = faults_of(text)
    assert any(fault.path[: len(place)] == place and words in fault.text for fault in faults), (
        faults
    )


def test_one_wrong_decision_hides_no_other_fault_and_stops_no_right_one() -> None:
    effective = after(CLOSE_B1 + "[flows.B9]\n[flows.X1]\n" + BASIS)
    assert {fault.path[1] for fault in effective.faults} == {"B9", "X1"}
    assert [change.ref for change in effective.changes] == ["B1"]


def test_each_change_is_told_with_the_digest_before_and_after() -> None:
    effective = sound(CLOSE_B1 + I12A + OWN)
    assert effective.catalogue.digest != CATALOGUE.digest
    pair = (CATALOGUE.digest, effective.catalogue.digest)
    assert effective.changes == (
        Change("B1", "closed", *pair),
        Change("I12a", "completed", *pair),
        Change("K1", "added", *pair),
    )
    back = differences(effective.catalogue, CATALOGUE)
    assert [(change.ref, change.what) for change in back] == [
        ("B1", "opened"),
        ("I12a", "changed"),
        ("K1", "removed"),
    ]


def test_the_digest_tells_one_decision_from_another() -> None:
    digests = {
        sound(text).catalogue.digest
        for text in (CLOSE_B1, I12A, CLOSE_B1 + I12A, CLOSE_B1.replace("2026-04-01", "2026-04-02"))
    }
    assert len(digests) == 4
    assert sound(CLOSE_B1).catalogue.digest == sound(CLOSE_B1).catalogue.digest


def test_a_completed_flow_keeps_what_it_lacked() -> None:
    flow = sound(I12A).catalogue.flow("I12a")
    assert flow is not None
    assert flow.state is State.PERMITTED
    assert [str(cell) for cell in flow.missing] == ["basis"]


def test_a_reloaded_catalogue_is_told_apart_flow_by_flow(tmp_path: Path) -> None:
    before = load_catalogue(routes(tmp_path / "a", {"T1.toml": FLOW_TOML}))
    changed = FLOW_TOML.replace("日次", "月次")
    added = FLOW_TOML.replace('"T1"', '"T2"')
    after_it = load_catalogue(routes(tmp_path / "b", {"T1.toml": changed, "T2.toml": added}))
    told = differences(before, after_it)
    assert [(change.ref, change.what) for change in told] == [("T1", "changed"), ("T2", "added")]
