"""How a process logs: text, or JSON with one object a line.

Nothing personal is logged anywhere; here a 個人番号 is masked as well, as a second wall.
"""

import datetime as dt
import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from hub.clock import JST
from schemas.hidden import mask_my_numbers

if TYPE_CHECKING:
    from hub.sections import LogsSite

TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
FIELDS = "renkei_fields"
"""The attribute of a record that holds what it says of a message, by name."""


class JsonLines(logging.Formatter):
    """Makes one JSON object of a record: time, level, process, logger, text, and its fields."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """Give the line."""
        said: dict[str, str] = {
            "time": dt.datetime.fromtimestamp(record.created, JST).isoformat(
                timespec="milliseconds"
            ),
            "level": record.levelname,
            "process": self._process,
            "logger": record.name,
            "text": record.getMessage(),
        }
        fields: Mapping[str, str] = getattr(record, FIELDS, {})
        said.update(fields)
        if record.exc_info:
            said["error"] = self.formatException(record.exc_info)
        masked = {key: mask_my_numbers(value) for key, value in said.items()}
        return json.dumps(masked, ensure_ascii=False)


class MaskedText(logging.Formatter):
    """Text as ever, without a 個人番号."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the line."""
        return mask_my_numbers(super().format(record))


def log_as(settings: "LogsSite", process: str) -> None:
    """Have what this process logs from now on in the form that the site says."""
    formatter = JsonLines(process) if settings.format == "json" else MaskedText(TEXT)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(formatter)
