"""The page of what the ledger records says what the code writes: keys, kinds, outcomes, acts."""

import json
import re
from pathlib import Path

import pytest

from hub.ledger.acts import Act
from hub.ledger.leaf import access_said, leaf, terms_of
from hub.ledger.model import Kind
from tests.samples import entry

pytestmark = pytest.mark.unit

PAGE = Path("docs/ledger-events.md").read_text(encoding="utf-8")
KEYS = list(
    json.loads(
        leaf(
            1,
            2,
            f"{terms_of(entry()).said()},{access_said(entry().access)}",
            entry().message,
            "",
            "",
            "",
            '""',
        )
    )
)


def table(heading: str) -> list[list[str]]:
    """Give the rows of the table under a heading, cell by cell."""
    part = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line for line in part.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


def code(cell: str) -> str:
    return cell.strip(" |`")


def usual_outcome(kind: Kind) -> str:
    said: dict[str, str] = json.loads("{" + terms_of(entry(kind=kind)).said() + "}")
    return said["outcome"]


def test_every_key_stands_on_the_page_in_its_order() -> None:
    assert [code(row[0]) for row in table("The keys of an entry")] == KEYS


def test_every_kind_stands_on_the_page_with_its_outcome() -> None:
    rows = table("The kinds")
    assert [code(row[0]) for row in rows] == list(Kind)
    for kind, said, *_ in rows:
        usual = usual_outcome(Kind(code(kind)))
        own = {"refusal", "receipt", "operator-action", "log-view", "export", "destruction"}
        assert usual in said or code(kind) in own


def test_the_page_names_only_keys_that_there_are() -> None:
    also = {key for row in table("The kinds") for key in re.findall(r"`([a-z_]+)`", row[3])}
    assert also <= set(KEYS)


def test_every_act_stands_on_the_page_with_its_kinds() -> None:
    rows = table("The acts and their codes")
    assert sorted(code(row[0]) for row in rows) == sorted(Act)
    kinds = {kind for row in rows for kind in re.findall(r"`([a-z-]+)`", row[1])}
    assert kinds == {Kind.LOG_VIEW, Kind.EXPORT, Kind.OPERATOR_ACTION, Kind.DESTRUCTION}
