"""Everything that is wrong, at once, each with file, line and what was perhaps meant."""

import datetime as dt
import shutil
import time
from importlib import resources
from pathlib import Path

import pytest

import hub.statute.check as module
from hub.statute.check import Carriage, check
from hub.statute.findings import Finding, Severity
from hub.statute.model import Catalogue
from schemas.canonical import CanonicalMessage
from tests.samples import FLOW_TOML, routes

pytestmark = pytest.mark.unit

TODAY = dt.date(2026, 4, 1)
FLOW_CARRIED = [
    Carriage("alpha", "in", "resident.changed", "alpha.residents"),
    Carriage("beta", "out", "resident.changed", "beta.residents"),
]
LAYOUT = """\
id = "{}"
title = "t"
title_ja = "t"
assumed = true
source = "s"
columns = [
  {{ name = "宛名番号", field = "addressee_number", width = 15 }},
  {{ name = "氏名", field = "name", width = {} }},
]
"""
SITE = """\
[hub]
password_file = "secrets/hub"
pseudonym_key_file = "secrets/key"
routes = "routes"
"""


@pytest.fixture
def layouts(tmp_path: Path) -> Path:
    folder = tmp_path / "layouts"
    folder.mkdir()
    for name in ("alpha.residents", "beta.residents"):
        (folder / f"{name}.toml").write_text(LAYOUT.format(name, 100), encoding="utf-8")
    return folder


def folder(tmp_path: Path, text: str = FLOW_TOML) -> Path:
    return routes(tmp_path / "routes", {"T1.toml": text})


def of_others(found: list[Finding]) -> list[Finding]:
    """Leave out that a small catalogue does not carry every message type."""
    return [one for one in found if not one.file.startswith("schemas/")]


def found_in(tmp_path: Path, layouts: Path, text: str) -> list[Finding]:
    where = folder(tmp_path, text)
    return of_others(check(where, FLOW_CARRIED, today=TODAY, layouts=layouts))


def test_a_sound_catalogue_has_no_findings(tmp_path: Path, layouts: Path) -> None:
    assert found_in(tmp_path, layouts, FLOW_TOML) == []


def test_an_expired_basis_is_warned_of(tmp_path: Path, layouts: Path) -> None:
    text = FLOW_TOML.replace("2020-01-01", "2020-01-01\nvalid_to = 2026-03-31")
    (found,) = found_in(tmp_path, layouts, text)
    assert found.severity is Severity.WARNING
    assert str(found) == "T1.toml:20: the basis of T1 expired on 2026-03-31"
    assert found_in(tmp_path, layouts, text.replace("2026-03-31", "2026-04-01")) == []


def test_a_flow_that_no_adapter_can_carry_is_warned_of(tmp_path: Path, layouts: Path) -> None:
    only = [FLOW_CARRIED[0], Carriage("beta", "in", "resident.changed", "beta.residents")]
    (flow, adapter) = of_others(check(folder(tmp_path), only, today=TODAY, layouts=layouts))
    assert flow.severity is Severity.WARNING
    assert str(flow) == (
        "T1.toml:21: no adapter can carry resident.changed: that of beta has no mapping to its "
        "system"
    )
    assert str(adapter) == (
        "adapters/beta:1: the adapter can send resident.changed, which no flow lets beta do"
    )
    flow = of_others(check(folder(tmp_path), only[:1], today=TODAY, layouts=layouts))[0]
    assert "none is installed for beta" in flow.text


def test_held_and_denied_flows_need_no_adapter(tmp_path: Path, layouts: Path) -> None:
    held = "state = 'held'\nmissing = ['frequency']\n" + FLOW_TOML
    found = check(folder(tmp_path, held), (), today=TODAY, layouts=layouts)
    assert not any("no adapter can carry" in one.text for one in found)


def test_a_layout_that_is_named_and_not_there_is_an_error(tmp_path: Path, layouts: Path) -> None:
    (layouts / "beta.residents.toml").rename(layouts / "beta.resident.toml")
    found = of_others(check(folder(tmp_path), FLOW_CARRIED, today=TODAY, layouts=layouts))
    told = {(one.file, one.severity): str(one) for one in found}
    assert "did you mean beta.resident?" in told["adapters/beta", Severity.ERROR]
    assert "is named beta.residents.toml" in told["beta.resident.toml", Severity.ERROR]
    assert "no adapter uses" in told["beta.resident.toml", Severity.WARNING]


@pytest.mark.parametrize(
    ("change", "line", "text"),
    [
        (("width = 100", "width = 0"), 8, "greater than or equal to 1"),
        (('field = "name"', 'feild = "name"'), 8, "did you mean field?"),
        (("columns = [", "columns = "), 6, "Invalid value"),
        (('field = "name"', 'field = "addressee_number"'), 1, "two columns have the same field"),
        (('source = "s"', 'sauce = "s"'), 5, "did you mean source?"),
    ],
)
def test_a_broken_layout_is_named_with_its_line(
    tmp_path: Path, layouts: Path, change: tuple[str, str], line: int, text: str
) -> None:
    file = layouts / "beta.residents.toml"
    file.write_text(file.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    found = of_others(check(folder(tmp_path), FLOW_CARRIED, today=TODAY, layouts=layouts))
    told = [str(one) for one in found if one.line == line]
    assert any(one.startswith("beta.residents.toml") and text in one for one in told), found


@pytest.mark.parametrize(
    ("more", "line", "text"),
    [
        ("[hub2]\n", 5, "hub2: Extra inputs are not permitted; did you mean hub?"),
        ("[systems.alfa]\nfolder = 'd'\n", 5, "did you mean alpha?"),
        ("[systems.aside]\n", 5, "aside is a neighbour"),
        ("[catalogue.flows.T1]\nclose = true\n", 5, "reason: Field required"),
        ("\n[catalogue.flows.T2]\nclose = true\n", 6, "the catalogue has no flow T2"),
        ("[catalogue.flows.T1]\nfrequency = 'f'\n", 6, "T1 is permitted"),
        ("[catalogue.flow.T1]\nclose = true\n", 5, "did you mean flows?"),
        ("colour = ", 5, "Invalid value"),
    ],
)
def test_a_fault_of_the_site_is_named_with_its_line(
    tmp_path: Path, layouts: Path, more: str, line: int, text: str
) -> None:
    folder(tmp_path)
    site = tmp_path / "site.toml"
    site.write_text(SITE + more, encoding="utf-8")
    found = check(None, FLOW_CARRIED, today=TODAY, layouts=layouts, site=site)
    told = [str(one) for one in found]
    assert any(one.startswith(f"site.toml:{line}: ") and text in one for one in told), told
    assert site.name in {one.file for one in found if one.severity is Severity.ERROR}


def test_what_the_site_adds_is_judged_where_it_stands(tmp_path: Path, layouts: Path) -> None:
    folder(tmp_path)
    body = FLOW_TOML.split("[whose]")[0].replace('ref = "T1"\n', "")
    body = body.replace("resident.changed", "income.assessed")
    own = (
        f"[catalogue.own.K1]\n{body.strip()}\ndecided_by = 'x'\ndecided_on = 2020-01-01\n"
        "basis = [{ law = 'l', article = 'a', valid_from = 2020-01-01, valid_to = 2021-01-01 }]\n"
        "[catalogue.own.K1.whose]\nrule = 'insured-household'\ntext = 'w'\n"
        "[catalogue.own.K1.receivers.beta]\nfields = ['tax_year']\n"
    )
    site = tmp_path / "site.toml"
    site.write_text(SITE + own, encoding="utf-8")
    found = of_others(check(None, FLOW_CARRIED, today=TODAY, layouts=layouts, site=site))
    assert [(one.file, one.severity) for one in found] == [("site.toml", Severity.WARNING)] * 2
    assert [one.line for one in found] == [8, 16]
    assert "no adapter can carry income.assessed" in found[0].text
    assert "expired" in found[1].text


def test_a_site_that_cannot_be_read_is_a_finding(tmp_path: Path, layouts: Path) -> None:
    where = folder(tmp_path)
    absent = tmp_path / "absent.toml"
    found = check(where, FLOW_CARRIED, today=TODAY, layouts=layouts, site=absent)
    assert any(one.file == "absent.toml" and "cannot be read" in one.text for one in found)


def test_a_message_type_without_flow_is_warned_of_at_its_class(
    tmp_path: Path, layouts: Path
) -> None:
    found = check(folder(tmp_path), FLOW_CARRIED, today=TODAY, layouts=layouts)
    (told,) = [one for one in found if "income.assessed" in one.text]
    assert told.severity is Severity.WARNING
    source = (resources.files("schemas") / "income.py").read_text(encoding="utf-8")
    assert told.file == "schemas/income.py"
    assert source.splitlines()[told.line - 1].startswith(("@message_type", "class IncomeAssessed"))


def test_a_my_number_of_another_type_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Careless(CanonicalMessage):
        MESSAGE_TYPE = "careless.sent"
        spouse_my_number: str

    monkeypatch.setattr(module, "MESSAGE_TYPES", {"careless.sent": Careless})
    found = list(module._schemas(Catalogue({}, (), "")))
    (told,) = [one for one in found if one.severity is Severity.ERROR]
    assert "spouse_my_number is not of the type MyNumber" in told.text
    assert Path(__file__).read_text(encoding="utf-8").splitlines()[told.line - 1].strip() == (
        "spouse_my_number: str"
    )


def test_all_of_it_is_found_at_once_in_the_shipped_catalogue(tmp_path: Path) -> None:
    where = tmp_path / "routes"
    shutil.copytree(str(resources.files("routes")), where)
    for name, old, new in (
        ("I1", '"resident-registry"', '"resident-registery"'),
        ("I2", '"tax_year"', '"tax_yaer"'),
        ("I6", "my_number = true\n", ""),
        ("M2", "[receivers.resident-registry]", "[receivers.premium-collection]"),
        ("I11a", "2025-01-14", "2025-01-15"),
        ("I11b", "2025-01-14", "2025-01-13"),
        ("M1b", "insured-household", "insured-houshold"),
    ):
        file = where / f"{name}.toml"
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")
    found = check(where, (), today=TODAY)
    told = {one.file.removesuffix(".toml"): one for one in found if one.severity is Severity.ERROR}
    assert set(told) == {"I1", "I2", "I6", "M2", "I11a", "I11b", "M1b"}
    assert told["I1"].suggestion == "resident-registry"
    assert told["I2"].suggestion == "tax_year"
    assert "my_number = true is not said" in told["I6"].text
    assert "would send to itself" in told["M2"].text
    assert "a gap" in told["I11a"].text
    assert "begins before" in told["I11b"].text
    assert told["M1b"].suggestion == "insured-household"
    for name, one in told.items():
        line = (where / f"{name}.toml").read_text(encoding="utf-8").splitlines()[one.line - 1]
        assert any(
            word in line
            for word in ("registery", "yaer", "my_number", "receivers", "valid_from", "rule")
        ), (name, line)


def test_the_shipped_catalogue_has_no_error_and_is_checked_at_once() -> None:
    began = time.process_time()  # others may have the cores meanwhile
    found = check(None, (), today=TODAY)
    assert time.process_time() - began < 1.0
    assert [str(one) for one in found if one.severity is Severity.ERROR] == []
