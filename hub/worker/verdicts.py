"""What is said of a batch, and planned; one message on which the hub fails stops no other."""

import datetime as dt
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from hub.errors import LedgerError
from hub.ledger.model import Known
from hub.message import MessageKey
from hub.pipeline.again import Case
from hub.pipeline.book import Plan
from hub.pipeline.dead import failed
from hub.pipeline.judge import Judge
from hub.pipeline.judging import judged
from hub.pipeline.plan import plan_batch
from hub.pipeline.verdict import Dead, Verdict
from hub.worker.trial import ProcessEnded

log = logging.getLogger(__name__)

Judged = tuple[Case, Verdict]


@dataclass(frozen=True, slots=True)
class Records:
    """What the ledger has about a batch (``hub.pipeline.plan.plan_batch``)."""

    known: Mapping[MessageKey, Known]
    bound: Mapping[str, str]
    deaths: Mapping[str, bool]


def verdict_of(judge: Judge, case: Case, at: dt.datetime, ends: Exception | None = None) -> Verdict:
    """Judge a case; where the hub itself fails on it, it is dead, and the others go on.

    ``ends`` says that it fails on it for sure: it is not even judged.
    """
    if ends is not None:
        return _given_up(replace(judge, seals=None), case, ends)  # not even opened
    try:
        return judged(judge, case, at)
    except Exception as fault:  # noqa: BLE001 - whatever one message brings about must not stop all
        return _given_up(judge, case, fault)


def plan_of(
    judge: Judge,
    batch: Sequence[Judged],
    recall: Callable[[Sequence[Verdict]], Records],
    *,
    now: dt.datetime,
    notified: frozenset[str],
) -> tuple[Plan, list[Judged]]:
    """Plan a batch; ``recall`` asks the ledger. Give also by what verdicts it was planned.

    Raises:
        LedgerError: the ledger cannot be asked.
    """

    def planned(some: Sequence[Judged]) -> tuple[Plan, list[Judged]]:
        records = recall([verdict for _, verdict in some])
        meant = list(_as_accepted(judge, some, records.known))
        plan = plan_batch(
            [verdict for _, verdict in meant],
            records.known,
            now=now,
            pseudonyms=judge.pseudonyms,
            notified=notified,
            bound=records.bound,
            deaths=records.deaths,
            seals=judge.seals,
        )
        return plan, meant

    try:
        return planned(batch)
    except LedgerError:
        raise
    except Exception:  # noqa: BLE001 - as above; which one it is shows by itself
        return planned([_sound(judge, one, planned) for one in batch])


def _sound(judge: Judge, one: Judged, planned: Callable[[Sequence[Judged]], object]) -> Judged:
    case, _ = one
    try:
        planned([one])
    except LedgerError:
        raise
    except Exception as fault:  # noqa: BLE001 - as above
        return case, _given_up(judge, case, fault)
    return one


def _given_up(judge: Judge, case: Case, fault: Exception) -> Verdict:
    # The text of a fault may hold data of the message; its name does not.
    log.error("the hub failed on a message and gives it up: %s", type(fault).__name__)
    return failed(case, fault, judge.pseudonyms, judge.seals)


def _ends_the_process(verdict: Verdict) -> bool:
    return isinstance(verdict, Dead) and verdict.cause.detail == ProcessEnded.__name__


def _as_accepted(
    judge: Judge, batch: Sequence[Judged], known: Mapping[MessageKey, Known]
) -> Iterator[Judged]:
    """Judge what is already accepted by the day of its acceptance, not by today's.

    A dead letter that staff let go is judged by today's, whatever was accepted of it.
    """
    for case, verdict in batch:
        earlier = known.get(verdict.key)
        is_dead = case.again is not None and case.again.is_dead
        if (
            not is_dead
            and not _ends_the_process(verdict)
            and earlier is not None
            and earlier.accepted_at is not None
            and earlier.is_accepted(verdict.body)
        ):
            yield case, verdict_of(judge, case, earlier.accepted_at)
        else:
            yield case, verdict
