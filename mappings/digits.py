"""Moments and days as some wires write them: digits alone, Japan's time."""

import datetime as dt
import re

from hub.clock import JST
from mappings.refusal import Refused

_MOMENT = re.compile(r"([0-9]{14})([0-9]{3})")


def moment_digits(text: str) -> str:
    """Write a moment of a message as ``yyyymmddhhmmssSSS``; nothing for nothing.

    >>> moment_digits("2026-04-01T00:00:00.120000Z")
    '20260401090000120'
    """
    if not text:
        return ""
    at = dt.datetime.fromisoformat(text).astimezone(JST)
    return f"{at:%Y%m%d%H%M%S}{at.microsecond // 1000:03}"


def moment_text(digits: str, field: str) -> str:
    """Read ``yyyymmddhhmmssSSS`` as a moment of a message.

    >>> moment_text("20260401090000120", "at")
    '2026-04-01T09:00:00.120+09:00'

    Raises:
        Refused: it is no moment.
    """
    found = _MOMENT.fullmatch(digits)
    try:
        at = dt.datetime.strptime(found[1] if found else "", "%Y%m%d%H%M%S").replace(tzinfo=JST)
    except ValueError:
        raise Refused(field, "is no moment yyyymmddhhmmssSSS") from None
    milliseconds = int(found[2]) if found else 0
    return at.replace(microsecond=milliseconds * 1000).isoformat(timespec="milliseconds")


def day_digits(text: str) -> str:
    """Write a day ``YYYY-MM-DD`` as eight digits; nothing for nothing.

    >>> day_digits("2026-04-01")
    '20260401'
    """
    return text.replace("-", "")


def day_text(digits: str) -> str:
    """Read eight digits as a day ``YYYY-MM-DD``; the message class says whether there is one.

    >>> day_text("20260401")
    '2026-04-01'
    """
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if digits else ""
