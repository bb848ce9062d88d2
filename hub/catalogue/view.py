"""What is shown of a catalogue: the answer for each flow on a day, and the words around it."""

import datetime as dt
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from hub.errors import QuestionError
from hub.near import near
from hub.statute.explain import Explanation, explain
from hub.statute.model import Catalogue, Flow, Leg, Standing, System
from hub.statute.reasons import Sentence

Language = Literal["ja", "en"]

STATES = {
    Standing.PERMITTED: Sentence("permitted", "認められる"),
    Standing.HELD: Sentence("held", "保留"),
    Standing.DENIED: Sentence("denied", "禁止"),
    Standing.NOT_IN_FORCE: Sentence("not in force", "有効な根拠なし"),
    Standing.UNKNOWN: Sentence("unknown", "目録になし"),
}
NOWHERE = "?"
"""Stands for the receiver of a held flow whose destination is missing; no system has this id."""
_NOWHERE = Sentence("(destination not stated)", "（移転先の記載なし）")


@dataclass(frozen=True, slots=True)
class FlowView:
    """A flow, and the answer about it on the day that is shown."""

    flow: Flow
    answer: Explanation


@dataclass(frozen=True, slots=True)
class View:
    """The flows that are shown, on one day; of one system where ``system`` is given."""

    catalogue: Catalogue
    day: dt.date
    flows: tuple[FlowView, ...]
    system: str | None = None


@dataclass(frozen=True, slots=True)
class Arrow:
    """One leg of a flow to one receiver."""

    of: FlowView
    leg: Leg
    sender: str
    receiver: str


def view(catalogue: Catalogue, day: dt.date, system: str | None = None) -> View:
    """Give every flow of a catalogue, or those that one system sends or receives.

    Raises:
        QuestionError: the catalogue has no such system; the text names a near one.
    """
    if system is not None and system not in catalogue.systems:
        hint = near(system, catalogue.systems)
        end = f"; did you mean {hint}?" if hint else ""
        raise QuestionError(f"the catalogue has no system {system}{end}")
    flows = tuple(
        FlowView(answer.flow, answer)
        for answer in explain(catalogue, day)
        if answer.flow is not None and (system is None or system in ends(answer.flow))
    )
    return View(catalogue, day, flows, system)


def ends(flow: Flow) -> set[str]:
    """Give the systems that send or receive in any leg of a flow."""
    return {leg.sender for leg in flow.legs} | {
        receiver for leg in flow.legs for receiver in leg.receivers
    }


def newest_day(catalogue: Catalogue) -> dt.date:
    """Give the last day on which anything in a catalogue begins.

    Committed documents show this day, so that they do not change with the calendar.
    """
    begins = itertools.chain.from_iterable(_begins(flow) for flow in catalogue.flows)
    return max(begins, default=dt.date(1970, 1, 1))


def _begins(flow: Flow) -> Iterator[dt.date]:
    yield from (basis.valid_from for basis in flow.basis)
    for leg in flow.legs:
        for grant in leg.receivers.values():
            yield from grant.since.values()
    yield from (one.on for one in (flow.closed, flow.completed, flow.own) if one is not None)


def arrows(shown: View) -> Iterator[Arrow]:
    """Give every leg of every flow to every receiver; a missing one is ``NOWHERE``."""
    for one in shown.flows:
        for leg in one.flow.legs:
            for receiver in leg.receivers or (NOWHERE,):
                yield Arrow(one, leg, leg.sender, receiver)


def told(sentence: Sentence, language: Language) -> str:
    """Give a sentence in one language."""
    return sentence.ja if language == "ja" else sentence.en


def title(flow: Flow, language: Language) -> str:
    """Name a flow."""
    return flow.title_ja if language == "ja" else flow.title


def lasting(flow: Flow) -> Sentence:
    """Say for how long a copy is tried, and until when it may be delivered."""
    tried = _span(flow.retry_minutes)
    text = Sentence(f"tried for {tried.en}", f"再送は{tried.ja}まで")
    if flow.expires_hours is not None:
        kept = _span(flow.expires_hours * 60)
        text = Sentence(f"{text.en}, void after {kept.en}", f"{text.ja}、{kept.ja}で失効")
    if flow.timed is None:
        return text
    by, on = flow.timed.by, flow.timed.on
    return Sentence(f"{text.en} (decided by {by} on {on})", f"{text.ja}（決定: {by}、{on}）")


def _span(minutes: int) -> Sentence:
    if minutes % 60:
        return Sentence(f"{minutes} min", f"{minutes}分")
    return Sentence(f"{minutes // 60} h", f"{minutes // 60}時間")


def note(flow: Flow, language: Language) -> str:
    """Give what the route remarks about a flow."""
    return flow.note_ja if language == "ja" else flow.note


def system_name(catalogue: Catalogue, system: str, language: Language) -> str:
    """Name a system; one that the catalogue does not list is named by its id."""
    if system == NOWHERE:
        return told(_NOWHERE, language)
    known = catalogue.systems.get(system)
    return _name(known, language) if known else system


def _name(system: System, language: Language) -> str:
    return system.name_ja if language == "ja" else system.name


def way(catalogue: Catalogue, flow: Flow, language: Language | None = None) -> str:
    """Say the way of a flow, such as ``a → b → c``; by ids, or by names in a language."""

    def named(system: str) -> str:
        if language is None:
            return system
        return system_name(catalogue, system, language)

    text = named(flow.sender)
    at = flow.sender
    for leg in flow.legs:
        if leg.sender != at:
            text += f"; {named(leg.sender)}"
        text += f" → {', '.join(named(one) for one in leg.receivers or (NOWHERE,))}"
        at = next(iter(leg.receivers), leg.sender) if len(leg.receivers) == 1 else ""
    return text
