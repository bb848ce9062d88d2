"""The page that adds a system: its files, put where it says, are a system that works."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plain_site import PLAIN

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/howto/add-a-system.md").read_text(encoding="utf-8")
PACKAGES = ("adapters", "hub", "mappings", "monitoring", "routes", "schemas")
BLOCKS = re.findall(r"^```[a-z]+ (\S+)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
APPENDED = {"routes/systems.toml"}
SITE = f"""{PLAIN}
[broker]
admin_password_file = "admin"

[hub]
password_file = "secrets/hub"
pseudonym_key_file = "secrets/key"
"""

# What a file of the simulator becomes, by the same reader, mapping, judge, wall and writer as ever.
WORK = """
import datetime as dt, json, sys
from pathlib import Path

import adapters
from adapters.simulation.city import CityDay
from hub.clock import JST
from hub.edge.form import Header
from hub.edge.inbound import answers
from hub.edge.forms import form_of
from hub.edge.numbers import Numbers
from hub.edge.sorting import Line, Sorter
from hub.edge.wall import Wall
from hub.ledger.model import Pseudonyms
from hub.message import AccessItems, encode_copy, encode_event
from hub.pipeline.judge import Judge
from hub.pipeline.verdict import Permitted
from hub.ports import Delivery
from hub.sealing.keys import Keys
from hub.statute.catalogue import load_catalogue

folder, benefit = Path("drive"), json.loads(sys.argv[1])
adapter, simulator = adapters.find("medical-aid"), adapters.simulator("medical-aid")
catalogue, now = load_catalogue(), dt.datetime(2026, 4, 2, tzinfo=JST)
judge = Judge(catalogue, Pseudonyms(b"k" * 32), 90)
said = {}

def released(system, message_type, data):
    body = encode_event(message_id="m-1", system=system, message_type=message_type, time=now,
                        data=data, access=AccessItems("s", "d", "t", "r"))
    verdict = judge.judge(Delivery(1, "", message_type, system, body), now)
    assert isinstance(verdict, Permitted), verdict
    return {one.terms.receiver: one for one in verdict.releases}

(wire,) = adapter.inbound
day = CityDay(0, now.date(), lambda: iter(()), lambda: iter(()))
(file,) = simulator.write(day, folder)
form = form_of(wire.layout)
assert form.check(file.path, "cp932", settled=True).records == 1
(group,) = form.groups(file.path, "cp932")
(mapped,) = answers(wire, group, None)
said["sent"] = released("medical-aid", wire.message_type, mapped.message)["premium-collection"].data

(out,) = adapter.outbound
release = released("premium-collection", out.message_type, benefit)["medical-aid"]
copy = encode_copy(release.event, release.terms.flow, release.data, now)
numbers = Numbers.by(Keys("medical-aid"), lambda: True)
sorter = Sorter(adapter.outbound, "cp932", numbers)
line = sorter.judge(Delivery(1, "", "medical-aid", "hub", copy), Wall("medical-aid", catalogue))
assert isinstance(line, Line), line
target = folder / "from-hub" / f"{out.prefix}_00000001.csv"
target.parent.mkdir(parents=True, exist_ok=True)
encoder = form_of(out.layout).encoder("cp932")
target.write_bytes(b"".join(encoder.framed(Header(now), [line.record])))
(found,) = simulator.read_back(folder)
said["got"] = dict(found.values)
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the packages, and put the page's files into them."""
    folder = tmp_path_factory.mktemp("project")
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, folder / package, ignore=ignored)
    for name, text in BLOCKS:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text(encoding="utf-8") + "\n" if name in APPENDED else ""
        path.write_text(before + text, encoding="utf-8")
    return folder


def run(project: Path, *command: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(project)}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def renkei(project: Path, *arguments: str) -> str:
    return run(project, "-m", "hub.cli.main", *arguments)


def test_the_page_names_every_part_of_a_system() -> None:
    names = {name for name, _ in BLOCKS}
    for part in ("routes/", "schemas/layouts/", "mappings/", "adapters/", "docs/systems/", "site"):
        assert any(name.startswith(part) for name in names), part


def test_the_catalogue_with_its_flows_has_no_fault(project: Path) -> None:
    renkei(project, "check")
    text = (project / "routes" / "T2.toml").read_text(encoding="utf-8")
    assert 'unencodable = "mark"' in text
    assert "T1" in renkei(project, "explain", "--from", "medical-aid", "--to", "premium-collection")


def test_its_layouts_and_its_page_are_printed(project: Path) -> None:
    assert "福祉区分" in renkei(project, "layouts", "show", "medical-aid.status")
    renkei(project, "docs", "--out", "docs/catalogue")
    page = (project / "docs/systems/medical-aid.md").read_text(encoding="utf-8")
    assert "| 等級 | `grade` | 2 | text |" in page
    renkei(project, "docs", "--out", "docs/catalogue", "--check")


def test_its_site_is_whole(project: Path) -> None:
    site = project / "site.toml"
    (_, section) = next(block for block in BLOCKS if block[0] == "site.toml")
    site.write_text(SITE + section, encoding="utf-8")
    (project / "admin").write_text("a" * 40)
    (project / "admin").chmod(0o600)
    renkei(project, "site", "init", "--site", "site.toml")
    renkei(project, "site", "check", "--site", "site.toml")


def test_a_record_goes_in_and_a_copy_comes_out(project: Path) -> None:
    benefit = {
        "addressee_number": "12345",
        "scope": {"insurance": "current"},
        "insured_number": "00001234",
        "payment_number": "KYU-1",
        "correction_number": 0,
        "benefit_month": "2026-01",
        "paid_amount": 12_345,
        "decided_on": "2026-03-20",
    }
    said = json.loads(run(project, "-c", WORK, json.dumps(benefit)))
    assert said["sent"]["status"] == "physical"
    assert said["sent"]["grade"] == "3"
    assert "scope" not in said["sent"]
    assert said["got"]["payment_number"] == "KYU-1"
    assert said["got"]["flow"] == "T2"
    assert "insured_number" not in said["got"]
