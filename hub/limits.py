"""How much of what comes from outside is taken: one set of limits for a process.

``[limits]`` of the site file says what differs from the defaults; each has bounds of its own, so
that none can be nothing or endless. A process takes them over once, at its start
(``take_over``), and everything that reads outside data asks ``limits()`` when it reads.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

_KI, _MI, _GI = 1 << 10, 1 << 20, 1 << 30
GREATEST_NUMBER = 2**63 - 1
"""What a number of a row or an entry can be at the most: databases take no greater one."""


class InputLimits(BaseModel):
    """What may come from outside at the most; sizes are in bytes.

    ``event_*`` are of one message, ``line_bytes`` of one line of a CSV file, ``group_records``
    of records that belong together, ``file_bytes`` of a CSV or fixed-length file. ``xml_*`` are
    of one XML document; ``zip_*`` of a package and ``sheet_*`` of a workbook: as it comes, of
    one part and of all parts decompressed, how many bytes may come of one (but for a part of
    ``zip_small_bytes``), and how many parts; ``sheet_index_bytes`` of a part that is read whole.
    ``answer_*`` are of what is fetched over HTTP, ``name_length`` and ``folder_files`` of what
    lies in a folder for the hub, ``queue_bytes`` of a queue of the broker.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    event_bytes: Annotated[int, Field(ge=4 * _KI, le=256 * _KI)] = 256 * _KI
    line_bytes: Annotated[int, Field(ge=_KI, le=_MI)] = 64 * _KI
    group_records: Annotated[int, Field(ge=100, le=100_000)] = 10_000
    file_bytes: Annotated[int, Field(ge=_MI, le=64 * _GI)] = _GI
    xml_bytes: Annotated[int, Field(ge=4 * _KI, le=16 * _MI)] = 256 * _KI
    xml_depth: Annotated[int, Field(ge=4, le=200)] = 32
    xml_elements: Annotated[int, Field(ge=100, le=1_000_000)] = 20_000
    zip_bytes: Annotated[int, Field(ge=_MI, le=_GI)] = 50_000_000
    zip_part_bytes: Annotated[int, Field(ge=_MI, le=_GI)] = 20_000_000
    zip_total_bytes: Annotated[int, Field(ge=_MI, le=4 * _GI)] = 100_000_000
    zip_ratio: Annotated[int, Field(ge=10, le=1000)] = 100
    zip_small_bytes: Annotated[int, Field(ge=_KI, le=_MI)] = 64 * _KI
    zip_name_length: Annotated[int, Field(ge=20, le=255)] = 100
    zip_answers_bytes: Annotated[int, Field(ge=_KI, le=_MI)] = 64 * _KI
    sheet_bytes: Annotated[int, Field(ge=_MI, le=_GI)] = 128 * _MI
    sheet_parts: Annotated[int, Field(ge=10, le=5000)] = 500
    sheet_part_bytes: Annotated[int, Field(ge=_MI, le=4 * _GI)] = 512 * _MI
    sheet_total_bytes: Annotated[int, Field(ge=_MI, le=8 * _GI)] = _GI
    sheet_ratio: Annotated[int, Field(ge=10, le=1000)] = 500
    sheet_index_bytes: Annotated[int, Field(ge=64 * _KI, le=64 * _MI)] = 2 * _MI
    sheet_rows: Annotated[int, Field(ge=100, le=1_048_576)] = 1_048_576
    sheet_columns: Annotated[int, Field(ge=16, le=16_384)] = 256
    sheet_text: Annotated[int, Field(ge=256, le=32_767)] = 32_767
    sheet_strings: Annotated[int, Field(ge=1000, le=16_000_000)] = 4_000_000
    sheet_depth: Annotated[int, Field(ge=8, le=200)] = 64
    answer_bytes: Annotated[int, Field(ge=4 * _KI, le=64 * _MI)] = _MI
    answer_pages: Annotated[int, Field(ge=1, le=10_000)] = 100
    name_length: Annotated[int, Field(ge=40, le=255)] = 200
    folder_files: Annotated[int, Field(ge=100, le=1_000_000)] = 100_000
    queue_bytes: Annotated[int, Field(ge=16 * _MI, le=1024 * _GI)] = 4 * _GI


_now = InputLimits()


def limits() -> InputLimits:
    """Give the limits that this process holds to."""
    return _now


def take_over(those: InputLimits) -> None:
    """Hold to these limits from now on, in every thread of this process."""
    global _now  # noqa: PLW0603 - one set for the whole process, given once at its start
    _now = those


@contextmanager
def limited(**changes: int) -> Iterator[InputLimits]:
    """Hold to some limits otherwise, below their bounds too, for a while; for tests."""
    before = limits()
    take_over(before.model_copy(update=changes))  # which does not look at the bounds
    try:
        yield limits()
    finally:
        take_over(before)
