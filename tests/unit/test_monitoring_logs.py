"""What processes log: JSON a line, messages by id and outcome, and never a 個人番号."""

import datetime as dt
import io
import json
import logging
from collections.abc import Callable, Collection, Iterator
from typing import Literal

import pytest
from prometheus_client import CollectorRegistry

from hub.ledger.model import Entry, Kind
from hub.message import AccessItems, MessageKey
from hub.sections import LogsSite
from monitoring.hub import Sort
from monitoring.logs import JsonLines, log_as
from monitoring.messages import LINES_A_SECOND, LoggedMetrics, MessageLines

pytestmark = pytest.mark.unit

NOW = dt.datetime(2026, 11, 28, tzinfo=dt.UTC)
NUMBER = "123456789018"


def entry(kind: Kind, code: str = "", message: str = "m-1") -> Entry:
    return Entry(
        kind,
        NOW,
        MessageKey("tax", message),
        "income.assessed",
        "M1d",
        "union",
        resident="3f" * 16,
        digest="ab" * 32,
        code=code,
        detail="給付番号 88",
        access=AccessItems("山田", "保険年金課", "K-1"),
    )


@pytest.fixture
def logged() -> Iterator[Callable[[], list[dict[str, str]]]]:
    """Have the root logger write JSON; give what it wrote."""
    root, kept = logging.getLogger(), io.StringIO()
    before, level = root.handlers[:], root.level
    root.handlers = [logging.StreamHandler(kept)]
    root.setLevel(logging.INFO)
    log_as(LogsSite(format="json"), "hub-2")
    yield lambda: [json.loads(line) for line in kept.getvalue().splitlines()]
    root.handlers = before
    root.setLevel(level)


def test_a_line_is_one_object_with_time_and_process(
    logged: Callable[[], list[dict[str, str]]],
) -> None:
    logging.getLogger("hub.worker").warning("the link\nis %s", "lost")
    (line,) = logged()
    assert line | {"time": ""} == {
        "time": "",
        "level": "WARNING",
        "process": "hub-2",
        "logger": "hub.worker",
        "text": "the link\nis lost",
    }
    assert dt.datetime.fromisoformat(line["time"]).utcoffset() == dt.timedelta(hours=9)


def test_a_number_is_masked_in_text_fields_and_errors(
    logged: Callable[[], list[dict[str, str]]],
) -> None:
    MessageLines("all").recorded([entry(Kind.ACCEPTANCE, message=f"move-{NUMBER}")])
    try:
        int(f"{NUMBER}?")
    except ValueError:
        logging.getLogger("hub").exception("failed at %s", NUMBER)
    assert len(logged()) == 2
    assert NUMBER not in json.dumps(logged())
    assert logged()[0]["message_id"] == "move-[個人番号]"


def test_text_is_masked_as_well() -> None:
    root, kept = logging.getLogger(), io.StringIO()
    before = root.handlers[:]
    root.handlers = [logging.StreamHandler(kept)]
    try:
        log_as(LogsSite(), "hub")
        logging.getLogger("hub").error("%s", NUMBER)
    finally:
        root.handlers = before
    assert kept.getvalue().endswith("ERROR hub: [個人番号]\n")


@pytest.mark.parametrize(
    ("messages", "outcomes"),
    [
        ("none", []),
        (
            "failures",
            ["refusal: denied", "hold: binding-differs", "hold: other", "receipt: set-aside"],
        ),
        (
            "all",
            [
                "acceptance",
                "refusal: denied",
                "hold: binding-differs",
                "hold: other",
                "receipt: delivered",
                "receipt: set-aside",
            ],
        ),
    ],
)
def test_which_messages_have_a_line(
    messages: Literal["none", "failures", "all"],
    outcomes: list[str],
    logged: Callable[[], list[dict[str, str]]],
) -> None:
    metrics = LoggedMetrics(
        CollectorRegistry(), {"tax", "union"}, {"income.assessed"}, {"M1d"}, MessageLines(messages)
    )
    metrics.recorded(
        [
            entry(Kind.ACCEPTANCE),
            entry(Kind.REFUSAL, "denied"),
            entry(Kind.HOLD, "binding-differs"),
            entry(Kind.HOLD, "yamada"),  # a doubt of the sender's own
            entry(Kind.RECEIPT, "delivered"),
            entry(Kind.RECEIPT, "山田の言葉"),
            entry(Kind.CATALOGUE_CHANGE),
        ]
    )
    lines = logged()
    assert [line["outcome"] for line in lines] == outcomes
    for line in lines:
        assert (line["message_id"], line["sender"]) == ("m-1", "tax")
        assert (line["flow"], line["receiver"]) == ("M1d", "union")
    said = json.dumps(lines, ensure_ascii=False)
    for word in ("yamada", "3f3f", "給付番号", "山田", "保険年金課", "K-1", "abab"):
        assert word not in said


def test_a_site_that_says_nothing_logs_failures_and_looks_at_no_plain_batch() -> None:
    lines = MessageLines(LogsSite().messages)

    def sorts(*entries: Entry) -> Collection[Sort]:
        metrics = LoggedMetrics(CollectorRegistry(), (), (), (), lines)
        return metrics.count(entries)

    plain = (entry(Kind.ACCEPTANCE), entry(Kind.DELIVERY), entry(Kind.RECEIPT, "delivered"))
    assert not lines.wants(sorts(*plain))
    assert lines.wants(sorts(*plain, entry(Kind.REFUSAL, "denied")))
    assert lines.wants(sorts(entry(Kind.RECEIPT, "unwritable")))
    assert MessageLines("all").wants(sorts(*plain))
    assert not MessageLines("none").wants(sorts(entry(Kind.REFUSAL, "denied")))


def test_a_line_about_a_message_that_is_followed_names_its_trace(
    logged: Callable[[], list[dict[str, str]]],
) -> None:
    traces = {MessageKey("tax", "m-1"): "4b" * 16}
    lines = MessageLines("all", trace_of=lambda key: traces.get(key, ""))
    lines.recorded([entry(Kind.ACCEPTANCE), entry(Kind.ACCEPTANCE, message="m-2")])
    first, second = logged()
    assert (first["message_id"], first["trace_id"]) == ("m-1", "4b" * 16)
    assert (second["message_id"], "trace_id" in second) == ("m-2", False)


def test_a_flood_is_counted_and_fills_no_disk(
    logged: Callable[[], list[dict[str, str]]],
) -> None:
    now = [5.0]
    lines = MessageLines("failures", lambda: now[0])
    lines.recorded([entry(Kind.REFUSAL, "denied")] * (LINES_A_SECOND + 50))
    now[0] = 6.0
    lines.recorded([entry(Kind.REFUSAL, "denied")])
    texts = [line["text"] for line in logged()]
    assert len(texts) == LINES_A_SECOND + 2
    assert texts[-2] == "50 more messages had no line"


def test_a_record_without_arguments_is_no_format() -> None:
    record = logging.LogRecord("a", logging.INFO, "", 0, "100 %", (), None)
    assert json.loads(JsonLines("up").format(record))["text"] == "100 %"
