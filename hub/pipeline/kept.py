"""What a plan keeps beside its entries: bindings, messages put aside, and what becomes of those."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from hub.ledger.beside import Aside, Beside, Turn
from hub.ledger.vault import Vault
from hub.pipeline.book import Buried, Hold, Plan, Send
from hub.ports import Sent


def beside_of(plan: Plan, vault: Vault, begin: int = 0) -> Beside:
    """Give what is written in the transaction of ``before``; bodies are encrypted by then.

    ``begin`` is the place of the first entry of ``before`` among those of the transaction.
    """
    asides = [_aside(hold, vault) for hold in plan.holds]
    asides += [one.letter.aside(one.place, one.resident, one.at, vault) for one in plan.lacking]
    asides += [_dead(buried, vault) for buried in plan.buried]
    if begin:
        asides = [replace(one, place=one.place + begin) for one in asides]
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


def _dead(buried: Buried, vault: Vault) -> Aside:
    verdict = buried.verdict
    return Aside(
        buried.place,
        verdict.key,
        verdict.message_type,
        buried.resident,
        buried.code,
        buried.bucket,
        buried.at,
        partial(vault.seal, body=buried.body),
        buried.cause,
        *buried.pair,
    )


def ended(sends: Sequence[Send], fates: Sequence[Sent]) -> list[Turn]:
    """Give the turns of released messages whose copies were all confirmed."""
    closing = {send.closes for send in sends if send.closes}
    for send, fate in zip(sends, fates, strict=True):
        if fate is not Sent.CONFIRMED and send.closes:
            closing.discard(send.closes)
    return sorted(closing, key=lambda turn: turn.id)
