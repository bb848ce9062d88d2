"""What a receiver's adapter sets aside: messages without a place in its system's files, and why."""

import datetime as dt
import hashlib
import json
from enum import StrEnum
from typing import NamedTuple

from hub.edge.journal import TakenKey
from hub.edge.wall import WallCode
from hub.message import UNENCODABLE
from hub.ports import Delivery
from hub.sealing.opener import NUMBER_IN_CLEAR, NUMBER_MISPLACED, NUMBER_UNREADABLE
from schemas.hidden import mask_my_numbers


class AsideCode(StrEnum):
    """Why a message is set aside."""

    NOT_FROM_HUB = "not-from-hub"
    COPIED = "copied"
    UNREADABLE = "unreadable"
    UNKNOWN_TYPE = "unknown-type"
    UNWRITABLE = "unwritable"
    UNENCODABLE = UNENCODABLE
    MAPPING_FAILED = "mapping-failed"
    NOTHING_TO_RELEASE = "nothing-to-release"
    NUMBER_UNREADABLE = NUMBER_UNREADABLE
    NUMBER_MISPLACED = NUMBER_MISPLACED
    NUMBER_IN_CLEAR = NUMBER_IN_CLEAR


class Aside(NamedTuple):
    """A message that has no place.

    ``key`` only where the hub itself published it, for a system that gives receipts.
    """

    key: TakenKey | None
    code: AsideCode | WallCode
    reason: str
    delivery: Delivery

    def file_name(self) -> str:
        """Give the name of its file: always the same one for the same message."""
        return f"message-{hashlib.sha256(self.delivery.body).hexdigest()[:32]}.json"

    def document(self, at: dt.datetime) -> bytes:
        """Write it with its reason; the body is as it came, and nobody else may read it.

        A 個人番号 that came in clear is masked, wherever it stands, but in a copy that may still
        be released: that one is written for the system as it came.
        """
        body = self.delivery.body
        try:
            text = body.decode()
        except UnicodeDecodeError:
            content = {"body_hex": body.hex()}
        else:
            released = self.code is AsideCode.UNENCODABLE
            content = {"body": text if released else mask_my_numbers(text)}
        facts = {
            "code": self.code,
            "reason": self.reason,
            "queue": self.delivery.queue,
            "published_by": self.delivery.user_id,
            "at": at.isoformat(),
        }
        return (json.dumps(facts | content, ensure_ascii=False, indent=1) + "\n").encode()
