"""What a plan keeps beside its entries: bindings, messages put aside, and what becomes of those."""

from collections.abc import Sequence
from functools import partial

from hub.ledger.beside import Aside, Beside, State, Turn
from hub.ledger.vault import Vault
from hub.pipeline.book import Hold, Plan, Send
from hub.ports import Sent


def beside_of(plan: Plan, vault: Vault) -> Beside:
    """Give what is written in the transaction of ``before``; bodies are encrypted by then."""
    asides = [_aside(hold, vault) for hold in plan.holds]
    asides += [one.letter.aside(one.place, one.resident, one.at, vault) for one in plan.lacking]
    return Beside(list(plan.bindings.values()), asides, plan.turns)


def _aside(hold: Hold, vault: Vault) -> Aside:
    verdict = hold.verdict
    return Aside(
        hold.place,
        verdict.key,
        verdict.message_type,
        verdict.resident,
        hold.code,
        hold.bucket,
        hold.at,
        partial(vault.seal, body=verdict.body),
    )


def ended(sends: Sequence[Send], fates: Sequence[Sent]) -> list[Turn]:
    """Give the turns of released messages whose copies were all confirmed."""
    closing = {send.closes for send in sends if send.closes}
    for send, fate in zip(sends, fates, strict=True):
        if fate is not Sent.CONFIRMED:
            closing.discard(send.closes)
    return [Turn(number, State.RELEASED, State.MOVED) for number in sorted(closing)]
