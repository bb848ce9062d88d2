"""What does not agree is said, and the exit status says so too."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.broker.provide import ProvidedBroker
from tests.demo_rig import Renkei, named

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def robbed(tmp_path_factory: pytest.TempPathFactory, broker: ProvidedBroker) -> Iterator[Renkei]:
    """Serve a demo and take one of the union's files away before the report."""
    folder = tmp_path_factory.mktemp("robbed")
    state = folder / "state"
    options = ("--residents", "150", "--days", "0", "--every", "30", "--json")
    arguments = ("demo", "--serve", *options, "--state", str(state))
    run = Renkei(folder, arguments, named(broker))
    try:
        taken = state / "drives" / "union" / "from-hub" / "residents_00000001.csv"
        run.until(taken.exists, "a file for the union")
        taken.unlink()
        run.stopped(signal.SIGINT)
        yield run
    finally:
        run.end()


def test_the_status_and_the_object_tell_it(robbed: Renkei) -> None:
    assert robbed.process.returncode == 1, robbed.err
    answer = robbed.answer()
    assert answer["reconciled"] is False
    assert set(answer) == {"flows", "refused", "ledger", "reconciled"}


def test_the_text_names_the_flow_and_what_it_lacks(robbed: Renkei) -> None:
    said = robbed.err
    assert "NOT reconciled:" in said
    assert "M1b to union: delivered" in said
    assert "records in the receiver's files 0" in said
    assert "M1b: union lacks" in said
    assert "I1 to" not in said
    assert "Traceback" not in said


def test_the_object_stands_alone_on_stdout_in_its_shape(robbed: Renkei) -> None:
    assert len(robbed.out.splitlines()) == 1
    answer = robbed.answer()
    for flow in answer["flows"]:
        assert list(flow) == ["ref", "sender", "receiver", "accepted", "refused", "delivered"]
        assert all(isinstance(flow[name], int) for name in ("accepted", "refused", "delivered"))
    for refused in answer["refused"]:
        assert list(refused) == ["sender", "message_type", "reason"]
    assert list(answer["ledger"]) == ["entries"]
    assert len(answer["refused"]) == 9


def test_a_file_gets_no_colours(robbed: Renkei) -> None:
    assert "\x1b" not in robbed.out + robbed.err


def test_a_broker_of_somebody_else_is_left_as_it_was(
    robbed: Renkei, broker: ProvidedBroker
) -> None:
    with broker.management() as management:
        vhosts = {row["name"] for row in management.get("vhosts")}
    assert (Path(robbed.arguments[-1]) / "vhost").read_text() not in vhosts
    assert "starting a private" not in robbed.err
