"""Whatever is sent, held, decided and killed in whatever order: once, in order, and as decided."""

import datetime as dt
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.desks.confirmations import Desk, listed
from hub.errors import LedgerError
from hub.ledger.beside import State
from hub.ledger.model import Kind
from hub.ledger.store import DatabaseLedger
from hub.ledger.verify.ledger import verify
from hub.message import AccessItems
from tests.samples import MY_NUMBER, NOW, SIGNER, event, judge, resident
from tests.worker_rig import Fuse, Rig

pytestmark = pytest.mark.unit

OTHER = "219876543216"
CLERK = AccessItems("確認係")
JUDGE = judge()
RECEIVERS = ("premium-collection", "union")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.sampled_from([MY_NUMBER, MY_NUMBER, OTHER, "", "renumber"])),
        st.tuples(st.just("held"), st.sampled_from([OTHER, ""])),
        st.tuples(st.just("release"), st.integers(0, 2)),
        st.tuples(st.just("reject"), st.integers(0, 2)),
        st.tuples(st.just("drain"), st.integers(-1, 24)),
    ),
    min_size=3,
    max_size=12,
)
"""What happens after the resident was bound; ``held`` is sent and drained at once."""


def message(place: int, number: str) -> dict[str, object]:
    data = resident(history_number=place)
    if number == "renumber":
        data |= {"my_number": OTHER, "event_reason": "my-number-changed"}
    elif number:
        data |= {"my_number": number}
    else:
        del data["my_number"]
    return event(data, id=f"m{place:02}")


@pytest.mark.slow
@settings(max_examples=20)
@given(steps=STEPS, batch=st.sampled_from([1, 3, 500]))
def test_each_moves_once_in_order_or_as_staff_decided(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[str, object]],
    batch: int,
) -> None:
    rig = Rig(tmp_path_factory.mktemp("any"), judge=JUDGE)
    ledger = DatabaseLedger(rig.url, SIGNER)
    desk = Desk(ledger, JUDGE, lambda: NOW + dt.timedelta(hours=1))
    sent = 0
    for what, value in [("held", MY_NUMBER), *steps]:
        if what in {"send", "held"}:
            rig.send(message(sent, str(value)))
            sent += 1
            assert what == "send" or rig.drain(batch=batch)
        elif what == "drain":
            rig.drain(Fuse(int(str(value))), batch)
        else:
            waiting = listed(desk.ledger, State.OPEN)
            if waiting:
                decide = desk.release if what == "release" else desk.reject
                with suppress(LedgerError):  # overtaken
                    decide(waiting[int(str(value)) % len(waiting)].id, CLERK)
    assert rig.drain(batch=batch)
    assert rig.drain(batch=batch)
    on_list = {one.key.id: one.state for one in listed(desk.ledger, None)}
    assert verify(ledger.engine, SIGNER.verifier).good
    ledger.close()
    kinds = [(row["message_id"], row["kind"], row["receiver"]) for row in rig.rows()]
    for receiver in RECEIVERS:
        came = list(dict.fromkeys(str(copy["id"]) for copy in rig.copies(receiver)))
        assert came == sorted(came), "an older state came after a newer one"
        assert {f"m{place:02}" for place in range(sent)} - set(came) == {
            one for one, state in on_list.items() if state is not State.MOVED
        }
        assert len(set(rig.bodies(receiver))) == len(came), "a copy that differs from its first"
        for one in came:
            for kind in (Kind.ACCEPTANCE, Kind.DELIVERY):
                assert kinds.count((one, kind.value, receiver)) == 1
    assert State.RELEASED not in on_list.values()
