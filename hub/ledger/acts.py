"""Entries about what people do with the ledger and the hub: views, exports, decisions.

Such an entry is no message's; its message key is the hub's own and unique.
"""

import datetime as dt
import secrets
from enum import StrEnum

from hub.ledger.model import Entry, Kind
from hub.message import AccessItems, MessageKey
from hub.site import HUB_USER
from schemas.hidden import mask_my_numbers

DETAIL_CHARACTERS = 2000


class Act(StrEnum):
    """What somebody did; ``docs/ledger-events.md`` says more of each."""

    SEARCH = "search"
    DISCLOSURE = "disclosure"
    PROOF = "proof"
    CONSISTENCY = "consistency"
    TILES = "tiles"
    ARCHIVE = "archive"
    COSIGNATURE = "cosignature"
    LEGAL_HOLD = "legal-hold"
    LEGAL_HOLD_LIFTED = "legal-hold-lifted"
    RECONCILED = "reconciled"
    GAP = "gap"
    BACKUP = "backup"
    RESTORE = "restore"
    RESTORE_DRILL = "restore-drill"
    MONTH = "month"
    SALTS = "salts"
    CONFIRMATION = "confirmation"
    DEAD_LETTER = "dead-letter"
    CERTIFICATE_REVOKED = "certificate-revoked"
    PSEUDONYM_KEY = "pseudonym-key"
    LEDGER_KEY = "ledger-key"
    LOGIN = "login"
    LOGIN_REFUSED = "login-refused"
    LOCKOUT = "lockout"
    LOGOUT = "logout"
    SESSION_ENDED = "session-ended"
    ACCOUNT_ADDED = "account-added"
    ACCOUNT_CHANGED = "account-changed"
    ACCOUNT_LOCKED = "account-locked"
    ACCOUNT_UNLOCKED = "account-unlocked"
    ACCOUNT_REMOVED = "account-removed"
    ACCOUNT_ENROLLED = "account-enrolled"
    REVIEWED = "reviewed"
    REVIEW = "review"
    MAINTENANCE_BEGUN = "maintenance-begun"
    MAINTENANCE_ENDED = "maintenance-ended"
    PAGE = "page"
    MESSAGE = "message"
    EXPORT_REQUESTED = "export-requested"
    EXPORT_APPROVED = "export-approved"
    EXPORT_DECLINED = "export-declined"


def act(  # noqa: PLR0913 - what an act says
    kind: Kind,
    access: AccessItems,
    at: dt.datetime,
    *,
    code: str = "",
    detail: str = "",
    digest: str = "",
    resident: str = "",
) -> Entry:
    """Say that somebody did something; ``detail`` names what, never a person's data.

    ``digest`` is that of a file that was written, without a salt; ``resident`` is the
    pseudonym of whom it was about.
    """
    return Entry(
        kind=kind,
        at=at,
        message=MessageKey(HUB_USER, f"{kind}-{secrets.token_hex(8)}"),
        message_type="",
        resident=resident,
        digest=digest,
        code=code,
        detail=kept_text(mask_my_numbers(detail), DETAIL_CHARACTERS),
        access=access,
    )


def kept_text(text: str, characters: int) -> str:
    """Cut a text to what a ledger keeps: it may quote what somebody wrote in a file."""
    plain = "".join(" " if ord(one) < ord(" ") or one == "\x7f" else one for one in text)
    plain = plain.encode("utf-8", "replace").decode()
    return plain if len(plain) <= characters else plain[: characters - 1] + "…"
