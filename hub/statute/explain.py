"""Why something may move or not, for people and programs: the answer to a question, as data.

Pure. It looks at the same ``Flow.standing`` as the rules, so that what it says and what the hub
does cannot differ.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from hub.errors import QuestionError
from hub.near import near
from hub.statute.model import Basis, Catalogue, Flow, Leg, Standing
from hub.statute.reasons import Sentence, cells

_NEAREST = (
    Standing.PERMITTED,
    Standing.NOT_IN_FORCE,
    Standing.HELD,
    Standing.DENIED,
    Standing.UNKNOWN,
)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What holds on a day, and why.

    ``basis`` is the whole list over time; ``fields`` are those that a receiver may get on the
    day, whatever the state. Where no flow answers the question, ``ref`` and ``flow`` are
    absent and the rest may be empty. ``legs`` are those that were asked about.
    """

    state: Standing
    reason: Sentence
    ref: str | None = None
    basis: tuple[Basis, ...] = ()
    fields: tuple[str, ...] = ()
    source: str = ""
    flow: Flow | None = None
    legs: tuple[Leg, ...] = ()

    @property
    def permitted(self) -> bool:
        """Say whether it may move."""
        return self.state is Standing.PERMITTED

    def as_json(self) -> dict[str, Any]:
        """Give it as the object that the command line prints."""
        return {
            "permitted": self.permitted,
            "state": str(self.state),
            "ref": self.ref,
            "basis": [basis.model_dump(mode="json") for basis in self.basis],
            "fields": list(self.fields),
            "reason": {"en": self.reason.en, "ja": self.reason.ja},
            "source": self.source,
        }


def explain(  # noqa: PLR0913 - the parts of a question
    catalogue: Catalogue,
    day: dt.date,
    *,
    ref: str | None = None,
    sender: str | None = None,
    receiver: str | None = None,
    message_type: str | None = None,
) -> list[Explanation]:
    """Answer for each flow that a question is about; with no question, for every flow.

    A flow with several legs that is asked for by its reference is answered as one: its fields
    are those of all receivers of all legs together. Asked for by its ends, it is answered for
    the legs between them. Where no flow fits, there is one answer, ``unknown``.

    Raises:
        QuestionError: the catalogue has no such flow or system; the text names a near one.
    """
    _check(catalogue, ref, [sender, receiver])
    found = []
    for flow in catalogue.flows:
        if ref not in {None, flow.ref} or message_type not in {None, flow.message_type}:
            continue
        legs = tuple(leg for leg in flow.legs if _fits(leg, sender, receiver))
        if legs:
            found.append(_of_flow(flow, legs, receiver, day))
    return found or [_of_nothing(catalogue, sender, receiver, message_type)]


def summed(answers: Sequence[Explanation]) -> Explanation:
    """Give several answers as one: permitted when one of them is.

    The state is that of the answer nearest to moving; ``ref``, ``basis``, ``fields`` and
    ``reason`` are of all answers with that state.
    """
    state = next(state for state in _NEAREST if any(one.state is state for one in answers))
    chosen = [one for one in answers if one.state is state]
    if len(chosen) == 1:
        return chosen[0]
    return Explanation(
        state=state,
        reason=Sentence(
            " ".join(f"{one.ref}: {one.reason.en}" for one in chosen),
            "".join(f"{one.ref}: {one.reason.ja}" for one in chosen),
        ),
        ref=", ".join(one.ref for one in chosen if one.ref),
        basis=_each(basis for one in chosen for basis in one.basis),
        fields=_each(name for one in chosen for name in one.fields),
        source="; ".join(_each(one.source for one in chosen)),
        legs=tuple(leg for one in chosen for leg in one.legs),
    )


_ItemT = TypeVar("_ItemT", Basis, str)


def _each(items: Iterable[_ItemT]) -> tuple[_ItemT, ...]:
    return tuple(dict.fromkeys(items))


def _check(catalogue: Catalogue, ref: str | None, systems: Iterable[str | None]) -> None:
    refs = [flow.ref for flow in catalogue.flows]
    asked = [("flow", ref, refs)] + [("system", one, catalogue.systems) for one in systems]
    for kind, name, known in asked:
        if name is not None and name not in known:
            hint = near(name, known)
            end = f"; did you mean {hint}?" if hint else ""
            raise QuestionError(f"the catalogue has no {kind} {name}{end}")


def _fits(leg: Leg, sender: str | None, receiver: str | None) -> bool:
    return sender in {None, leg.sender} and (receiver is None or receiver in leg.receivers)


# -- a flow ----------------------------------------------------------------------------------


def _of_flow(flow: Flow, legs: tuple[Leg, ...], receiver: str | None, day: dt.date) -> Explanation:
    grants = (
        grant for leg in legs for name, grant in leg.receivers.items() if receiver in {None, name}
    )
    state = flow.standing(day)
    return Explanation(
        state=state,
        reason=_REASONS[state](flow, day),
        ref=flow.ref,
        basis=flow.basis,
        fields=_each(name for grant in grants for name in grant.fields_on(day)),
        source=flow.section,
        flow=flow,
        legs=legs,
    )


def _why_permitted(flow: Flow, day: dt.date) -> Sentence:
    article = str(flow.basis_on(day))
    said = Sentence(
        f"Permitted on {day} by {article}.", f"{day}現在、{article}により認められます。"
    )
    if flow.basis_level == "file":
        said = _joined(
            said,
            "The assessment gives this flow no basis of its own: that of the whole file applies.",
            "この流れ固有の根拠の記載はなく、ファイル全体の根拠によります。",
        )
    if flow.own:
        said = _joined(
            said,
            f"It is the city's own flow, decided by {flow.own.by} on {flow.own.on}.",
            f"市独自の流れです（決定: {flow.own.by}、{flow.own.on}）。",
        )
    if flow.completed:
        missing = cells(flow.missing)
        by, on = flow.completed.by, flow.completed.on
        said = _joined(
            said,
            f"The city supplied the {missing.en}: {by}, {on}.",
            f"{missing.ja}は市が補いました（決定: {by}、{on}）。",
        )
    return said


def _why_held(flow: Flow, _day: dt.date) -> Sentence:
    missing = cells(flow.missing)
    if flow.completed:
        on = flow.completed.on
        return Sentence(
            f"Held until {on}, when the city supplied the missing {missing.en}.",
            f"{on}に市が{missing.ja}を補うまで保留です。",
        )
    return Sentence(
        f"Held: the assessment does not state the {missing.en}. "
        "Nothing moves until the city supplies it in the site file.",
        f"保留: 評価書に{missing.ja}の記載がありません。市がサイト設定で補うまで送付しません。",
    )


def _why_denied(flow: Flow, day: dt.date) -> Sentence:
    if flow.closed and flow.closed.on <= day:
        closed = flow.closed
        return Sentence(
            f"Denied: the city closed this flow on {closed.on} ({closed.by}): {closed.reason}",
            f"禁止: この流れは{closed.on}に市が閉鎖しました（{closed.by}）: {closed.reason}",
        )
    return Sentence(
        f"Denied: the assessment excludes this flow ({flow.section}). {flow.note}".rstrip(),
        f"禁止: 評価書はこの流れを行わないとしています（{flow.section}）。{flow.note_ja}",
    )


def _why_not_in_force(flow: Flow, day: dt.date) -> Sentence:
    if flow.own and day < flow.own.on:
        return Sentence(
            f"Not in force on {day}: the city decided about this flow of its own on {flow.own.on}.",
            f"{day}には有効でありません: 市独自の流れで、決定は{flow.own.on}です。",
        )
    periods = "; ".join(f"{basis.period()} ({basis.article})" for basis in flow.basis)
    return Sentence(
        f"Not in force on {day}: the basis is in force {periods}.",
        f"{day}には有効な根拠がありません。根拠の有効期間: {periods}",
    )


_REASONS = {
    Standing.PERMITTED: _why_permitted,
    Standing.HELD: _why_held,
    Standing.DENIED: _why_denied,
    Standing.NOT_IN_FORCE: _why_not_in_force,
}


def _joined(said: Sentence, en: str, ja: str) -> Sentence:
    return Sentence(f"{said.en} {en}", f"{said.ja}{ja}")


# -- no flow ---------------------------------------------------------------------------------


def _of_nothing(
    catalogue: Catalogue, sender: str | None, receiver: str | None, message_type: str | None
) -> Explanation:
    neighbours = [
        catalogue.systems[name]
        for name in (sender, receiver)
        if name and catalogue.is_neighbour(name)
    ]
    if neighbours:
        named = neighbours[0]
        return Explanation(
            Standing.UNKNOWN,
            Sentence(
                f"No flow: {named.id} is a neighbour system. The assessment names it "
                f"({named.section}) with no flow of this office.",
                f"流れがありません: {named.name_ja}は隣接システムです。評価書（{named.section}）に"
                "名がありますが、当該事務との流れは定められていません。",
            ),
            source=named.section,
        )
    if message_type is not None and not catalogue.carrying(message_type):
        known = {flow.message_type for flow in catalogue.flows if flow.message_type}
        hint = near(message_type, known)
        return Explanation(
            Standing.UNKNOWN,
            Sentence(
                f"No flow carries the message type {message_type}"
                + (f"; did you mean {hint}?" if hint else "."),
                f"種別 {message_type} を運ぶ流れがありません。"
                + (f"{hint} の誤りではありませんか。" if hint else ""),
            ),
        )
    asked = " ".join(
        f"{word} {name}"
        for word, name in (("from", sender), ("to", receiver), ("with", message_type))
        if name
    )
    ends = "、".join(name for name in (sender, receiver, message_type) if name)
    return Explanation(
        Standing.UNKNOWN,
        Sentence(
            f"No flow of the catalogue leads {asked}: what no flow permits is refused.".replace(
                "  ", " "
            ),
            f"目録にこの流れはありません（{ends}）。目録にないものは送付しません。",
        ),
    )
