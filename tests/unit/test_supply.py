"""What the project is made of: which licences fit, what a bill names, what an audit found."""

import datetime as dt
import re
import tomllib
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.utils import canonicalize_name

from tools.licences import Package, Rules, closure, installed
from tools.supply import LOCK, PYPROJECT, found_in, of_lock, with_licences

pytestmark = pytest.mark.unit

RULES = Rules(frozenset({"MIT", "Apache-2.0"}), {"lists": {"licence": "MPL-2.0", "reason": "data"}})
SHIPPED, BUILD = "requirements.shipped.lock", "requirements.build.lock"
TODAY = dt.date(2026, 11, 28)


def one(name: str, licence: str, *, shipped: bool = True) -> Package:
    return Package(name, "1.0", licence, shipped)


def test_every_installed_package_has_a_licence_that_is_taken() -> None:
    packages = installed()
    assert list(Rules.read(PYPROJECT).faults(packages)) == []
    assert len([package for package in packages if package.shipped]) > 30


def test_every_exception_gives_its_reason() -> None:
    told = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["tool"]["renkei"]
    exceptions = told["licences"]["exceptions"].values()
    assert all(exception["reason"] for exception in exceptions)
    assert all(known["reason"] for known in told["vulnerabilities"].values())


@pytest.mark.parametrize("licence", ["MIT", "GPL-3.0 OR MIT", "MIT AND Apache-2.0"])
def test_a_licence_fits(licence: str) -> None:
    packages = [one("some", licence), one("lists", "MPL-2.0", shipped=False)]
    assert list(RULES.faults(packages)) == []


@pytest.mark.parametrize("licence", ["GPL-3.0", "MIT AND GPL-3.0", ""])
def test_a_licence_does_not_fit(licence: str) -> None:
    packages = [one("some", licence), one("lists", "MPL-2.0", shipped=False)]
    (fault,) = RULES.faults(packages)
    assert fault.startswith("some 1.0: ")


def test_an_exception_holds_for_what_it_was_made_for() -> None:
    assert list(RULES.faults([one("lists", "MPL-2.0")])) == [
        "lists: MPL-2.0 was for tools alone and is shipped"
    ]
    assert list(RULES.faults([one("lists", "GPL-3.0", shipped=False)])) == [
        "lists is GPL-3.0 now, not MPL-2.0"
    ]
    assert list(RULES.faults([])) == ["lists: an exception that nothing needs"]


def test_what_is_shipped_is_what_the_project_needs_at_run_time() -> None:
    shipped = closure("renkei-hub")
    assert {"renkei-hub", "pika", "vine", "amqp", "certifi", "joserfc"} <= shipped
    assert not shipped & {"pytest", "hypothesis", "ruff", "mypy"}


def test_the_lock_has_a_hash_for_each_package_that_is_shipped() -> None:
    names = closure("renkei-hub") - {"renkei-hub"}
    for name in names:
        assert "--hash=sha256:" in of_lock(LOCK.read_text(encoding="utf-8"), {name}), name


def test_what_a_city_installs_is_what_the_bill_names() -> None:
    shipped = {name for name, marker, _ in locked(SHIPPED) if marker.evaluate()}
    assert shipped == closure("renkei-hub") - {"renkei-hub"}


@pytest.mark.parametrize("name", [SHIPPED, BUILD])
def test_a_lock_beside_the_whole_one_has_the_same_files(name: str) -> None:
    whole = {one: files for one, _, files in locked(LOCK.name)}
    for one, _, files in locked(name):
        assert files == whole[one]
        assert "--hash=sha256:" in files


def locked(name: str) -> list[tuple[str, Marker, str]]:
    """Give the packages of a lock: name, for which systems, and version with hashes."""
    text = (PYPROJECT.parent / name).read_text(encoding="utf-8")
    heads = re.findall(r"^([A-Za-z0-9._-]+)==[^ ]+( ; .*)? \\$", text, re.MULTILINE)
    return [
        (
            canonicalize_name(one),
            Marker(marker.removeprefix(" ; ") or "python_version > '3'"),
            of_lock(text, {canonicalize_name(one)}).replace(marker, "", 1),
        )
        for one, marker in heads
    ]


def test_only_the_lines_of_these_packages_are_taken_from_a_lock() -> None:
    lock = "a-b==1 \\\n    --hash=sha256:1\nc==2 \\\n    --hash=sha256:2\na_d==3\n"
    assert of_lock(lock, {"a-b", "a-d"}) == "a-b==1 \\\n    --hash=sha256:1\na_d==3\n"


def test_the_bill_says_each_licence() -> None:
    bill = with_licences({"components": [{"name": "Some"}, {"name": "x"}]}, [one("some", "MIT")])
    assert bill["components"] == [
        {"name": "Some", "licenses": [{"expression": "MIT"}]},
        {"name": "x"},
    ]


def test_a_known_vulnerability_is_passed_over_until_its_day() -> None:
    vulnerable = {"id": "PYSEC-1", "fix_versions": ["1.1"]}
    answer = {"dependencies": [{"name": "some", "version": "1.0", "vulns": [vulnerable]}]}
    known = {"PYSEC-1": {"reason": "not used so", "until": TODAY}}
    assert list(found_in(answer, {}, TODAY)) == ["some 1.0: PYSEC-1, mended in 1.1"]
    assert list(found_in(answer, known, TODAY)) == []
    assert list(found_in(answer, known, TODAY + dt.timedelta(days=1)))


def test_the_tools_are_pinned() -> None:
    groups = tomllib.loads(Path(PYPROJECT).read_text(encoding="utf-8"))["dependency-groups"]
    assert all("==" in tool for tool in groups["supply"])
