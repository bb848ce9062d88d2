"""Characters that a receiver's encoding lacks, replaced by a visible mark where a route says so.

Only those characters change, each into one mark, so that a reader sees that and where something
was; nothing is dropped, and nothing is normalised.
"""

from collections.abc import Mapping

from hub.edge.form import Encoder
from hub.edge.kit import Unencodable

MARK = "〓"
"""U+3013, the printer's mark for a character that is not there (下駄)."""
NARROW_MARK = "?"
"""For an encoding that lacks the mark too, such as one of half-width kana alone."""


def marked_record(encoder: Encoder, values: Mapping[str, str]) -> bytes:
    """Write a record with a mark for each character that the encoding lacks.

    Raises:
        Unwritable: a value has no place even so.
    """
    narrow: set[str] = set()
    while True:
        try:
            return encoder.record(values)
        except Unencodable as lacking:
            if MARK in lacking.characters:
                narrow.add(lacking.field)
            mark = NARROW_MARK if lacking.field in narrow else MARK
            text = values[lacking.field]
            replaced = text.translate(dict.fromkeys(map(ord, lacking.characters), mark))
            if replaced == text:
                raise
            values = {**values, lacking.field: replaced}
