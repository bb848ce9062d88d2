"""What does not agree is said, and the exit status says so too."""

import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub.broker.provide import ProvidedBroker
from tests.demo_rig import Renkei, named

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Robbed:
    """A demo from which a file was taken, and how many records that had."""

    run: Renkei
    records: int


@pytest.fixture(scope="module")
def robbed(tmp_path_factory: pytest.TempPathFactory, broker: ProvidedBroker) -> Iterator[Robbed]:
    """Serve a demo and take one of the union's files away before the report."""
    folder = tmp_path_factory.mktemp("robbed")
    state = folder / "state"
    options = ("--residents", "150", "--days", "0", "--every", "30", "--json")
    arguments = ("demo", "--serve", *options, "--state", str(state))
    run = Renkei(folder, arguments, named(broker))
    try:
        taken = state / "drives" / "union" / "from-hub" / "residents_00000001.csv"
        run.until(taken.exists, "a file for the union")
        lines = taken.read_text(encoding="utf-8").splitlines()
        taken.unlink()
        run.stopped(signal.SIGINT)
        yield Robbed(run, sum(line.startswith("D,") for line in lines))
    finally:
        run.end()


def test_the_status_and_the_object_tell_it(robbed: Robbed) -> None:
    assert robbed.run.process.returncode == 1, robbed.run.err
    answer = robbed.run.answer()
    assert answer["reconciled"] is False
    assert set(answer) == {"flows", "refused", "ledger", "reconciled"}


def test_the_text_names_the_flow_and_what_it_lacks(robbed: Robbed) -> None:
    said = robbed.run.err
    assert "NOT reconciled:" in said
    told = re.search(r"M1b to union: delivered (\d+), records in the receiver's files (\d+)", said)
    assert told
    assert int(told[1]) - int(told[2]) == robbed.records > 0
    assert "M1b: union lacks" in said
    assert "I1 to" not in said
    assert "Traceback" not in said


def test_the_object_stands_alone_on_stdout_in_its_shape(robbed: Robbed) -> None:
    assert len(robbed.run.out.splitlines()) == 1
    answer = robbed.run.answer()
    for flow in answer["flows"]:
        assert list(flow) == ["ref", "sender", "receiver", "accepted", "refused", "delivered"]
        assert all(isinstance(flow[name], int) for name in ("accepted", "refused", "delivered"))
    for refused in answer["refused"]:
        assert list(refused) == ["sender", "message_type", "reason"]
    assert list(answer["ledger"]) == ["entries"]
    assert len(answer["refused"]) == 16


def test_a_file_gets_no_colours(robbed: Robbed) -> None:
    assert "\x1b" not in robbed.run.out + robbed.run.err


def test_a_broker_of_somebody_else_is_left_as_it_was(
    robbed: Robbed, broker: ProvidedBroker
) -> None:
    with broker.management() as management:
        vhosts = {row["name"] for row in management.get("vhosts")}
    assert (Path(robbed.run.arguments[-1]) / "vhost").read_text() not in vhosts
    assert "starting a private" not in robbed.run.err
