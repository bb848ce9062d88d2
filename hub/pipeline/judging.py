"""What is said of a case, whatever it is: one that came, one that staff let go, one that died."""

import datetime as dt
from dataclasses import replace

from hub.message import RELEASE_TYPE
from hub.names import DEAD_QUEUE
from hub.pipeline.again import Case
from hub.pipeline.dead import died, resent, unopened
from hub.pipeline.judge import Judge
from hub.pipeline.letters import Letter
from hub.pipeline.numbers import awaited_key
from hub.pipeline.verdict import Ordered, Permitted, Receipted, Refused, Verdict
from hub.statute.reasons import Code


def judged(judge: Judge, case: Case, at: dt.datetime) -> Verdict:
    """Say what becomes of a case by the rules of this moment."""
    if case.delivery.queue == DEAD_QUEUE:
        return died(case, judge.pseudonyms, judge.seals)
    again = case.again
    if again is None:
        return _tried(case, _or_kept(case, judge, judge.judge(case.delivery, at)))
    if again.is_dead and again.pair[1]:
        return resent(case, again, judge, at)
    if case.delivery.routing_key == RELEASE_TYPE:
        letter = Letter.read(case.delivery.body)
        return Ordered(letter.key, case.delivery.body, letter, again)
    verdict = judge.judge(case.delivery, at, is_kept=True)
    if isinstance(verdict, Permitted | Refused | Receipted):
        return _tried(case, replace(verdict, again=again))
    return verdict


def _or_kept(case: Case, judge: Judge, verdict: Verdict) -> Verdict:
    """Keep what could be opened if only the hub's newest key were brought here: it is not wrong."""
    if not isinstance(verdict, Refused) or verdict.code is not Code.NUMBER_UNREADABLE:
        return verdict
    kid = awaited_key(judge.seals, case.delivery.body)
    return unopened(case.delivery, kid, judge.pseudonyms) if kid else verdict


def _tried(case: Case, verdict: Verdict) -> Verdict:
    if case.tried and isinstance(verdict, Permitted):
        return replace(verdict, tried=case.tried)
    return verdict
