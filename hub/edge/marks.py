"""Characters that a receiver's encoding lacks, replaced by a visible mark where a route says so.

Only those characters change, each into one mark, so that a reader sees that and where something
was; nothing is dropped, and nothing is normalised.
"""

from collections.abc import Mapping

from hub.edge.form import Encoder
from hub.edge.kit import Unencodable

MARK = "〓"
"""U+3013, the printer's mark for a character that is not there (下駄)."""
NARROW_MARKS = "?/"
"""For encodings that lack the mark too, such as one of half-width kana alone; the first it has."""


def marked_record(encoder: Encoder, values: Mapping[str, str]) -> bytes:
    """Write a record with a mark for each character that the encoding lacks.

    Raises:
        Unwritable: a value has no place even so.
    """
    left: dict[str, str] = {}
    while True:
        try:
            return encoder.record(values)
        except Unencodable as lacking:
            marks = left.get(lacking.field, MARK + NARROW_MARKS)
            while marks and marks[0] in lacking.characters:
                marks = marks[1:]
            if not marks or lacking.characters.isdisjoint(values[lacking.field]):
                raise
            left[lacking.field] = marks
            table = dict.fromkeys(map(ord, lacking.characters), marks[0])
            values = {**values, lacking.field: values[lacking.field].translate(table)}
