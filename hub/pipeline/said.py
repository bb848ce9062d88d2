"""The entries and notices that say what a plan decides about a message."""

import datetime as dt

import pydantic_core

from hub.ledger.model import Commitment, Entry, Kind
from hub.message import NOTICE_TYPE, Notice, source_of
from hub.names import OUT_EXCHANGE
from hub.pipeline.verdict import Terms, Verdict
from hub.ports import Outgoing
from hub.site import HUB_USER
from hub.statute.reasons import Sentence

NO_TERMS = Terms("", "", "")
NO_BODY = Commitment("", b"")


def entry_of(  # noqa: PLR0913 - what an entry says
    kind: Kind,
    verdict: Verdict,
    at: dt.datetime,
    terms: Terms = NO_TERMS,
    *,
    body: Commitment,
    resident: str = "",
    code: str = "",
    detail: str = "",
) -> Entry:
    """Say what happened to a message, on one flow to one receiver where there is one."""
    return Entry(
        kind=kind,
        at=at,
        message=verdict.key,
        message_type=verdict.message_type,
        flow=terms.flow,
        receiver=terms.receiver,
        resident=resident,
        digest=body.digest,
        salt=body.salt,
        code=code,
        detail=detail,
        basis=terms.basis,
        purpose=terms.purpose,
        access=verdict.access,
        released=terms.released,
        withheld=terms.withheld,
    )


def notice_of(name: str, verdict: Verdict, code: str, said: Sentence, at: dt.datetime) -> Outgoing:
    """Tell the proven sender, on its own queue, what was not taken and why."""
    notice = Notice(
        id=verdict.key.id,
        message_type=verdict.message_type,
        code=code,
        reason_en=said.en,
        reason_ja=said.ja,
        at=at,
    )
    event = {
        "specversion": "1.0",
        "id": name,
        "source": source_of(HUB_USER),
        "type": NOTICE_TYPE,
        "time": at.isoformat(),
        "datacontenttype": "application/json",
        "data": notice.model_dump(mode="json"),
    }
    return Outgoing(
        exchange=OUT_EXCHANGE,
        routing_key=verdict.key.sender,
        body=pydantic_core.to_json(event),
        message_id=name,
        message_type=NOTICE_TYPE,
    )
