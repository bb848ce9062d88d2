"""Ends a reconciliation: says what it came to, signed, and records that in the ledger."""

import base64
import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hub.clock import JST
from hub.compose.ledger import ledger_signer
from hub.compose.reconcile import LOOKS, AskBroker, opened_sides, reconcile
from hub.errors import BrokerError
from hub.ledger.acts import act
from hub.ledger.evidence.certificate import certificate
from hub.ledger.model import Entry, Kind
from hub.ledger.store import DatabaseLedger
from hub.ledger.tally import Span
from hub.message import AccessItems
from hub.reconcile.model import Waiting
from hub.reconcile.report import KIND, Head, certified_facts, gap_object
from hub.reconcile.sheet import Sheet
from hub.site import Site
from hub.statute.model import Catalogue
from schemas.evidence.checkpoint import Checkpoint
from schemas.evidence.note import SignedNote

RECONCILED = "reconciled"
GAP = "gap"


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What a reconciliation came to.

    ``document`` is the signed certificate, or the list of the gap, one JSON object a line.
    ``sheet`` can be read while it is open.
    """

    sheet: Sheet
    head: Head
    reconciled: bool
    document: bytes


@contextmanager
def reconciled(  # noqa: PLR0913 - what a reconciliation is given
    site: Site,
    catalogue: Catalogue,
    ledger: DatabaseLedger,
    day: dt.date | None,
    *,
    ask: AskBroker,
    access: AccessItems,
    without_broker: str = "",
    looks: int = LOOKS,
) -> Iterator[Reconciliation]:
    """Reconcile a day, or all that there is, and record what it came to.

    ``without_broker`` says why there is no broker to ask, and lets it be certified so.

    Raises:
        RenkeiError: a side other than the broker cannot be read, or it cannot be recorded.
    """
    before = Checkpoint.parse(SignedNote.parse(ledger.checkpoint()).text)
    trouble = _Trouble(without_broker)
    asked = trouble.told(ask) if not without_broker else _not_asked
    span = Span() if day is None else Span.of_day(day)
    with opened_sides(site, catalogue, ledger) as sides:
        sheet = reconcile(sides, span, asked, looks=looks)
    with sheet:
        name = "all" if day is None else day.isoformat()
        root = base64.b64encode(before.root).decode()
        head = Head(name, before.origin, before.size, root, trouble.text)
        fine = not sheet.gaps and bool(without_broker or not trouble.text)
        if fine:
            document = certificate(KIND, certified_facts(sheet, head), ledger_signer(site)).encode()
        else:
            document = _gap_list(sheet)
        ledger.append([_act(head, access, document, len(sheet.gaps), fine=fine)])
        yield Reconciliation(sheet, head, fine, document)


@dataclass(slots=True)
class _Trouble:
    """Why the broker's side is missing; empty where it is there."""

    text: str

    def told(self, ask: AskBroker) -> AskBroker:
        def asked() -> Waiting | None:
            try:
                waiting = ask()
            except BrokerError as error:
                self.text = str(error)
                return None
            self.text = ""
            return waiting

        return asked


def _not_asked() -> None:
    return None


def _gap_list(sheet: Sheet) -> bytes:
    lines = (json.dumps(gap_object(gap), ensure_ascii=False) for gap in sheet.gaps)
    return "".join(f"{line}\n" for line in lines).encode()


def _act(head: Head, access: AccessItems, document: bytes, gaps: int, *, fine: bool) -> Entry:
    lacking = f", without the broker ({head.no_broker})" if head.no_broker else ""
    return act(
        Kind.OPERATOR_ACTION,
        access,
        dt.datetime.now(JST),
        code=RECONCILED if fine else GAP,
        detail=f"day {head.day}, ledger of {head.size} entries, {gaps} missing{lacking}",
        digest=hashlib.sha256(document).hexdigest(),
    )
