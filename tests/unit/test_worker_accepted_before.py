"""A message that is planned by the day of its acceptance: whose it is, and what it came as."""

import datetime as dt
import itertools
from pathlib import Path
from typing import NoReturn

import pytest

from hub.ports import Outgoing, Sent
from hub.statute.catalogue import Catalogue
from hub.statute.model import Decision
from tests.samples import NOW, delivery, event, judge, resident, shipped, tax_event
from tests.worker_rig import JST, Killed, Rig, full

pytestmark = pytest.mark.unit
UNION = "union"


def ended_tomorrow() -> Catalogue:
    whole = shipped()
    kept = [flow for flow in whole.flows if flow.ref in {"I1", "I2", "M1b", "M1d"}]
    on = NOW.astimezone(JST).date() + dt.timedelta(days=1)
    over = Decision(by="a person", on=on)
    flows = tuple(
        flow.model_copy(update={"closed": over}) if flow.ref in {"I2", "M1d"} else flow
        for flow in kept
    )
    return Catalogue(whole.systems, flows, whole.digest)


def accept_and_die(rig: Rig) -> None:
    """Accept what waits, and be killed before its copies go out."""

    def dying(_messages: object) -> NoReturn:
        raise Killed

    with rig.process() as process:
        process.link.start = dying  # type: ignore[method-assign]
        with pytest.raises(Killed):
            process.move()


@pytest.mark.parametrize("nacked", [True, False])
def test_a_flow_that_ended_keeps_its_residents_order(tmp_path: Path, *, nacked: bool) -> None:
    rig = Rig(tmp_path, judge=judge(ended_tomorrow()))
    midnight = NOW.astimezone(JST).replace(hour=0, minute=0, second=0) + dt.timedelta(days=1)
    shift = midnight - dt.timedelta(seconds=10) - NOW
    today = rig._now
    rig._now = lambda: today() + shift  # type: ignore[method-assign]
    rig.send(tax_event(id="old"))
    accept_and_die(rig)
    assert rig.copies(UNION) == []
    rig._now = lambda: today() + shift + dt.timedelta(seconds=10)  # type: ignore[method-assign]
    rig.confirms = itertools.cycle((False,))
    hits = iter([Sent.REFUSED] if nacked else [])

    def fate(message: Outgoing) -> Sent:
        if message.routing_key == UNION and message.message_id == "old":
            return next(hits, Sent.CONFIRMED)
        return Sent.CONFIRMED

    rig.broker.judge = fate
    with rig.process(batch=1) as process:
        process.shift.step(0.0)
        rig.send(event(resident(), id="new"))
        for _ in range(20):
            process.shift.step(0.0)
            rig.broker.clock.advance(10)
        process.move()
    assert [copy["id"] for copy in rig.copies(UNION)] == ["old", "new"]


def test_the_same_message_sent_in_a_wrong_way_takes_no_copy_away(tmp_path: Path) -> None:
    rig = Rig(tmp_path, judge=judge(ended_tomorrow()))
    midnight = NOW.astimezone(JST).replace(hour=0, minute=0, second=0) + dt.timedelta(days=1)
    shift = midnight - dt.timedelta(seconds=10) - NOW
    today = rig._now
    rig._now = lambda: today() + shift  # type: ignore[method-assign]
    rig.send(tax_event(id="old"))
    accept_and_die(rig)
    rig.put(delivery(tax_event(id="old"), routing_key="tax.changed"))
    rig._now = lambda: today() + shift + dt.timedelta(seconds=10)  # type: ignore[method-assign]
    rig.broker.judge = full(UNION)
    with rig.process() as process:
        process.move()
        rig.broker.judge = full()
        for _ in range(10):
            rig.broker.clock.advance(10)
            process.move()
    assert [copy["id"] for copy in rig.copies(UNION)] == ["old"], rig.facts()


def test_what_waits_is_not_withdrawn_by_the_same_message_sent_in_a_wrong_way(
    tmp_path: Path,
) -> None:
    rig = Rig(tmp_path)
    rig.broker.judge = full(UNION)
    rig.put(delivery())
    with rig.process() as process:
        process.move()  # accepted; the union's copy waits
        rig.put(delivery(copied=True))  # sent once more, by somebody who asks for copies (CC)
        process.move()
        rig.broker.judge = full()
        for _ in range(10):
            rig.broker.clock.advance(10)
            process.move()
    assert len(rig.copies(UNION)) == 1, [f for f in rig.facts() if f.kind == "refusal"]
