"""The courier of inquiries: nothing leaves without its permit, and nothing is asked twice."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.intermediate_server import ADAPTER
from adapters.intermediate_server import courier as courier_module
from adapters.intermediate_server.memory import Family, Memory, Stage
from adapters.intermediate_server.server import Outcome
from adapters.intermediate_server.simulator import SIMULATOR
from adapters.simulation.misbehaviour import Misbehaviour
from adapters.simulation.serving import Asked, Reply
from hub.edge import files
from hub.edge.http.calls import Caller
from hub.edge.kit import Errand
from mappings import intermediate_server as mapping
from tests.network_rig import PERSON, SECRET, Network, code_request, inquiry, network

pytestmark = [pytest.mark.unit, pytest.mark.slow]

RESULT = "SKI_RESULT_SKI000000000001.xml"
CODE_RESULT = "FGU_RESULT_FGU000000000001.xml"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Network]:
    with network(tmp_path) as rig:
        yield rig


def stage_of(rig: Network, record: str = "m-1", family: Family = Family.SKI) -> Stage | None:
    with Memory(rig.folder / "memory.sqlite3") as memory:
        request = memory.request(family, record)
    return request.stage if request else None


def sent(rig: Network) -> list[str]:
    return [call for call in rig.calls() if not call.startswith("GET fgu")]


def test_an_inquiry_goes_by_its_permit_and_its_result_comes_back(rig: Network) -> None:
    rig.give("SKI_00000001.xml", inquiry())
    assert rig.rounds() == [None]
    assert sent(rig)[:2] == ["POST ski/permits", "POST ski/inquiries"]
    assert rig.waiting() == []
    assert rig.results() == []
    assert stage_of(rig) is Stage.SENT
    rig.rounds(2)
    assert rig.results() == [RESULT]
    result = rig.result(RESULT)
    assert (result["detail_status"], result["name_status"]) == ("09", "01")
    assert result["items_1_item_code"] == "0117-001"
    assert result["processing_number"] == "SKI000000000001"
    assert stage_of(rig) is Stage.ANSWERED
    calls = len(rig.calls())
    rig.rounds(2)
    assert rig.calls()[calls:] == ["GET fgu/results", "GET ski/results"] * 2


def test_a_code_request_gets_its_processing_number(rig: Network) -> None:
    rig.give("FGU_00000001.xml", code_request())
    assert rig.rounds(3) == [None] * 3
    assert rig.waiting() == []
    assert rig.results() == [CODE_RESULT]
    result = rig.result(CODE_RESULT, mapping.CODE_RESULTS)
    assert (result["request_id"], result["processing_number"]) == ("Q-1", "FGU000000000001")
    assert rig.received("FGU") == ["c-1"]


@pytest.mark.parametrize(
    "changes",
    [
        {"business_code": "JM02"},
        {"procedure_code": "JT0118"},
        {"provider_code": "9900000000000003"},
        {"information_code": "TM0118"},
    ],
)
def test_what_the_list_does_not_permit_is_answered_and_never_leaves(
    rig: Network, changes: dict[str, str]
) -> None:
    content = inquiry(**changes)
    rig.give("SKI_00000001.xml", content)
    rig.rounds(3)
    assert not any(call.startswith("POST") for call in rig.calls())
    assert rig.waiting() == []
    (name,) = rig.results()
    result = rig.result(name)
    assert result["message"].endswith("の照会は許可されていません。")
    assert (result["detail_status"], result["name_status"]) == ("", "")
    assert result["addressee_number"] == PERSON


@pytest.mark.parametrize("outcome", [Outcome.NO_PERMIT, Outcome.NO_CODE])
def test_an_inquiry_without_a_permit_is_not_sent(tmp_path: Path, outcome: Outcome) -> None:
    with network(tmp_path, outcome=outcome) as rig:
        rig.give("SKI_00000001.xml", inquiry())
        assert rig.rounds(3) == [None] * 3
        assert "POST ski/inquiries" not in rig.calls()
        assert rig.received() == []
        assert [one.message_id for one in SIMULATOR.receive(rig.home / "server")] == ["m-1"]
        (name,) = rig.results()
        said = rig.result(name)["message"]
        assert said
        assert stage_of(rig) is Stage.REFUSED
        assert said.encode() not in (rig.folder / "memory.sqlite3").read_bytes()


def test_a_permit_without_its_numbers_is_none(rig: Network) -> None:
    def without(asked: Asked) -> Reply | None:
        if asked.path != "ski/permits":
            return None
        reply = rig.server.handle(asked)
        begin, end = b"<PermitNumber>", b"</PermitNumber>"
        before, _, rest = reply.content.partition(begin)
        return Reply(200, before.rstrip() + rest.partition(end)[2])

    rig.replies = without
    rig.give("SKI_00000001.xml", inquiry())
    (error,) = rig.rounds()
    assert error is not None
    assert "POST ski/inquiries" not in rig.calls()
    assert stage_of(rig) is Stage.PERMIT_ASKED


def test_an_answer_that_is_no_permit_does_not_count_as_sent(rig: Network) -> None:
    def sent_already(asked: Asked) -> Reply | None:
        if asked.path != "ski/permits":
            return None
        reply = rig.server.handle(asked)
        return Reply(200, reply.content.replace(b"<State>1</State>", b"<State>3</State>"))

    rig.replies = sent_already
    rig.give("SKI_00000001.xml", inquiry())
    (error,) = rig.rounds()
    assert error is not None
    assert stage_of(rig) is Stage.PERMIT_ASKED
    assert rig.waiting() == ["SKI_00000001.xml"]


def test_a_refused_request_is_answered_at_once(rig: Network) -> None:
    rig.replies = lambda asked: Reply(422) if asked.path == "ski/permits" else None
    rig.give("SKI_00000001.xml", inquiry())
    assert rig.rounds() == [None]
    assert len(rig.results()) == 1


def test_a_wrong_login_is_told_and_everything_stays(rig: Network) -> None:
    rig.replies = lambda _asked: Reply(401)
    rig.give("SKI_00000001.xml", inquiry())
    rig.give("SKI_00000002.xml", inquiry("m-2"))
    (error,) = rig.rounds()
    assert str(error) == "cannot ask for a permit: the server answered 401"
    assert len(rig.waiting()) == 2
    assert rig.calls() == ["POST ski/permits"]


def test_one_inquiry_in_trouble_does_not_hold_up_the_others(rig: Network) -> None:
    rig.replies = lambda asked: Reply(503) if b">m-1<" in asked.content else None
    rig.give("SKI_00000001.xml", inquiry("m-1"))
    rig.give("SKI_00000002.xml", inquiry("m-2", requested_at="2026-04-01T09:00:01+09:00"))
    rig.give("SKI_00000003.xml", b"no document")
    (error,) = rig.rounds()
    assert "503" in str(error)
    assert rig.waiting() == ["SKI_00000001.xml", "SKI_00000003.xml"]
    assert rig.received() == ["m-2"]


# -- the server misbehaves ---------------------------------------------------------------


def test_a_server_that_was_down_gets_everything_once_it_is_up(rig: Network) -> None:
    rig.give("SKI_00000001.xml", inquiry())
    rig.serving.manners.down = True
    assert all(rig.rounds(2))
    rig.serving.manners.down = False
    rig.serving.stop()
    assert all(rig.rounds(2))
    rig.serving.start()
    assert rig.rounds(3) == [None] * 3
    assert rig.received() == ["m-1"]
    assert rig.results() == [RESULT]


def test_answers_that_are_cut_off_or_wrongly_encoded_are_asked_for_again(rig: Network) -> None:
    rig.give("SKI_00000001.xml", inquiry())
    for _ in range(12):
        rig.serving.manners.truncated = 1
        rig.serving.manners.wrongly_encoded = 1
        rig.rounds(attempts=2)
    assert rig.rounds(3)[-1] is None
    assert rig.received() == ["m-1"]
    assert rig.results() == [RESULT]
    assert rig.result(RESULT)["items_1_item_name"] == "項目1"


def test_a_result_that_never_can_be_read_is_put_as_it_is(rig: Network) -> None:
    broken = "結果".encode("cp932")
    path = "ski/results/SKI000000000001"
    rig.replies = lambda one: (
        Reply(200, broken) if (one.method, one.path) == ("GET", path) else None
    )
    rig.give("SKI_00000001.xml", inquiry())
    told = rig.rounds(12)
    assert sum(error is not None for error in told) == courier_module.UNREADABLE_TRIES - 1
    assert (rig.drive / "to-hub" / RESULT).read_bytes() == broken
    assert rig.calls().count(f"DELETE {path}") == 1


def test_a_result_with_another_number_is_not_taken_for_this_one(rig: Network) -> None:
    rig.give("SKI_00000001.xml", inquiry("m-1"))
    rig.give("SKI_00000002.xml", inquiry("m-2", requested_at="2026-04-01T09:00:01+09:00"))

    def swapped(asked: Asked) -> Reply | None:
        if asked.method == "GET" and asked.path.endswith("1"):
            return rig.server.handle(asked._replace(path=asked.path[:-1] + "2"))
        return None

    rig.replies = swapped
    told = rig.rounds(3)
    assert "another 処理通番" in str(told[-1])
    assert rig.results() == ["SKI_RESULT_SKI000000000002.xml"]


def test_results_in_any_order_and_second_ones_all_arrive(tmp_path: Path) -> None:
    odd = frozenset({Misbehaviour.DUPLICATE, Misbehaviour.OUT_OF_ORDER})
    with network(tmp_path, misbehaves=odd) as rig:
        for number in (1, 2):
            at = f"2026-04-01T09:00:0{number}+09:00"
            rig.give(f"SKI_0000000{number}.xml", inquiry(f"m-{number}", requested_at=at))
        rig.rounds(5)
        assert len(rig.results()) == 4
        assert {rig.result(name)["message_id"] for name in rig.results()} == {"m-1", "m-2"}


@pytest.mark.parametrize("number", ["../../x", "a/b", "ä", "a b"])
def test_a_listed_number_is_no_path(rig: Network, number: str) -> None:
    listing = f"""<ResultList xmlns="urn:x-assumed:intermediate-server:ski:1">
    <AnsweredAt>2026-04-01T09:00:00Z</AnsweredAt>
    <Result><ProcessingNumber>{number}</ProcessingNumber></Result></ResultList>"""
    rig.replies = lambda _asked: Reply(200, listing.encode())
    (error,) = rig.rounds()
    assert "処理通番" in str(error)
    assert set(rig.calls()) == {"GET fgu/results", "GET ski/results"}


def test_a_record_of_somebody_else_is_an_error(rig: Network) -> None:
    rig.give("SKI_00000001.xml", inquiry("m-1"))
    rig.rounds()
    other = inquiry("m-1", addressee_number="000000000099999")
    rig.folder.joinpath("memory.sqlite3").unlink()
    rig.give("SKI_00000001.xml", other)
    rig.rounds()
    name = next(name for name in rig.results() if "local" in name)
    assert rig.result(name)["message"] == "「レコード識別番号」が既に存在しています。"
    assert rig.received() == ["m-1"]


def test_a_lost_memory_asks_nothing_twice(rig: Network) -> None:
    rig.give("SKI_00000001.xml", inquiry())
    rig.rounds()
    rig.folder.joinpath("memory.sqlite3").unlink()
    rig.give("SKI_00000001.xml", inquiry())
    assert rig.rounds() == [None]
    assert rig.received() == ["m-1"]
    assert rig.waiting() == []


# -- killed at every step ----------------------------------------------------------------


class Killed(BaseException):
    """The process ends here."""


class Kill:
    """Ends the courier before the step with this number, which is after the one before it."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.steps = 0

    def step(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return  # the server is another process
        self.steps += 1
        if self.steps == self.at:
            raise Killed

    def around(self, patch: pytest.MonkeyPatch, place: object, name: str) -> None:
        real: Callable[..., Any] = getattr(place, name)

        def plain(*args: object, **named: object) -> Any:  # noqa: ANN401 - as it is
            self.step()
            return real(*args, **named)

        async def waited(*args: object, **named: object) -> Any:  # noqa: ANN401 - as it is
            self.step()
            return await real(*args, **named)

        patch.setattr(place, name, waited if asyncio.iscoroutinefunction(real) else plain)


def killed_at(step: int, rig: Network, rounds: int) -> bool:
    """Run with a kill at this step; say whether there was such a step."""
    kill = Kill(step)
    with pytest.MonkeyPatch.context() as patch:
        kill.around(patch, Caller, "call")
        kill.around(patch, Memory, "write")
        for name in ("write_synced", "rename", "remove"):
            kill.around(patch, files, name)
        with contextlib.suppress(Killed):
            rig.rounds(rounds)
    return kill.steps >= step


@pytest.mark.slow
@pytest.mark.parametrize("outcome", [Outcome.RESULT, Outcome.NO_CODE])
def test_killed_at_any_step_it_asks_once_and_answers_once(tmp_path: Path, outcome: Outcome) -> None:
    step, more = 0, True
    with network(tmp_path, outcome=outcome) as rig:
        while more:
            step += 1
            good, bad, code = (f"{name}-{step}" for name in ("good", "bad", "code"))
            rig.move(tmp_path / str(step))
            rig.give("FGU_00000001.xml", code_request(code))
            rig.give("SKI_00000001.xml", inquiry(good))
            rig.give("SKI_00000002.xml", inquiry(bad, information_code="TM0999"))
            more = killed_at(step, rig, rounds=3)
            assert rig.rounds(4)[-1] is None
            assert rig.times_received(code) == 1
            assert rig.times_received(good) == (outcome is Outcome.RESULT)
            first, *answers = rig.results()
            assert rig.result(first, mapping.CODE_RESULTS)["message_id"] == code
            answered = sorted(rig.result(name)["message_id"] for name in answers)
            assert answered == [bad, good]
            assert rig.waiting() == []
        assert rig.server.unpermitted == 0
    assert step > 20


# -- as the loop runs it -----------------------------------------------------------------


def test_the_courier_of_the_adapter_goes_on_until_it_is_cancelled(rig: Network) -> None:
    told: list[tuple[str, Exception | None]] = []
    answered = asyncio.Event()

    def tell(where: str, error: Exception | None) -> None:
        told.append((where, error))
        if rig.results():
            answered.set()

    errand = Errand(
        system=ADAPTER.system,
        drive=rig.drive,
        memory=rig.folder / "memory.sqlite3",
        url=rig.serving.url,
        secret=SECRET,
        timeout_seconds=5,
        poll_seconds=0.01,
        tell=tell,
    )
    rig.give("SKI_00000001.xml", inquiry())

    async def until_answered() -> None:
        assert ADAPTER.courier is not None
        task = asyncio.ensure_future(ADAPTER.courier(errand))
        async with asyncio.timeout(10):
            await answered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(until_answered())
    assert rig.results() == [RESULT]
    assert set(told) == {("interface", None)}


def test_the_simulator_shows_what_it_was_sent(rig: Network) -> None:
    rig.give("FGU_00000001.xml", code_request())
    rig.give("SKI_00000001.xml", inquiry())
    rig.rounds()
    received = SIMULATOR.read_back(rig.folder / "server")
    assert [(one.message_id, one.message_type) for one in received] == [
        ("c-1", "personal-code.requested"),
        ("m-1", "inquiry.requested"),
    ]
    assert received[1].values["information_code"] == "TM0117"
