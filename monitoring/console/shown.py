"""How pages name what the hub has: systems, flows, codes, steps, states. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hub.catalogue.view import system_name, title
from hub.disclosure.labels import named_field
from hub.ledger.beside import Shelf, Shelved
from hub.ledger.leaf import Recorded
from hub.ledger.model import Kind
from hub.statute.model import Catalogue
from hub.statute.reasons import Code, held_sentence, sentence
from monitoring.console.words import Words, every_word
from schemas.hidden import mask_my_numbers

_DECISIONS = frozenset({Kind.RELEASE, Kind.REPLAY})
_ACTS = frozenset({Kind.OPERATOR_ACTION, Kind.LOG_VIEW, Kind.EXPORT})
_USUAL = {Kind.RECEIPT: "delivered"}
"""Codes that say no more than the kind."""
_CODES: Mapping[str, Code] = {one.value: one for one in Code}


@dataclass(frozen=True, slots=True)
class Say:
    """Gives names in one language; what has no name is told by its id."""

    words: Words
    catalogue: Catalogue

    def system(self, system: str) -> str:
        """Name a system."""
        return system_name(self.catalogue, system, self.words.language) if system else ""

    def flow(self, ref: str) -> str:
        """Name a flow by reference and title."""
        known = self.catalogue.flow(ref) if ref else None
        return ref if known is None else f"{ref} {title(known, self.words.language)}"

    def field(self, name: str) -> str:
        """Name a field; only Japanese has names for them."""
        return name if self.words.language == "en" else named_field(name).name or name

    def fields(self, names: tuple[str, ...]) -> str:
        """Name fields in a row."""
        return (", " if self.words.language == "en" else "、").join(map(self.field, names))

    def why(self, code: str, detail: str = "") -> str:
        """Say what a code means; one that this version does not know stands as it is."""
        if code not in _CODES:
            return code
        said = self.words.of(sentence(_CODES[code], mask_my_numbers(detail)))
        return said.rstrip(":： ")  # some sentences end with what they are about, if that is given

    def reason(self, row: Shelved) -> str:
        """Say why a message waits on its list."""
        if row.shelf is Shelf.CONFIRMATION:
            return self.words.of(held_sentence(row.code))
        return self.why(row.code)

    def outcome(self, entry: Recorded) -> str:
        """Say what an entry is about: its kind, and what it says more."""
        said = self.kind(entry.kind)
        if not entry.code or entry.code == _USUAL.get(entry.kind):
            return said
        if entry.kind in _ACTS and (word := f"act.{entry.code}") in every_word():
            return f"{said}: {self.words(word)}"
        more = held_sentence(entry.code) if entry.kind is Kind.HOLD else None
        text = self.why(entry.code) if more is None else self.words.of(more)
        return f"{said}: {text}"

    def kind(self, kind: Kind) -> str:
        """Name a kind of entry."""
        return self.words(f"kind.{kind.value}")

    def who(self, entry: Recorded) -> str:
        """Name who decided; who else did something is for those to see who look after people."""
        return mask_my_numbers(entry.access.staff) if entry.kind in _DECISIONS else ""

    def detail(self, entry: Recorded) -> str:
        """Give what an entry says more, unless that is what people did: for others to see."""
        return "" if entry.kind in _ACTS else entry.detail

    def step(self, row: Shelved) -> str:
        """Say which step failed with a dead letter."""
        return self.words(f"failed.{row.cause.step}") if row.cause else ""

    def frequency(self, ref: str) -> str:
        """Give the source's words for how often a flow moves."""
        known = self.catalogue.flow(ref)
        return known.frequency if known else ""

    def systems(self) -> list[tuple[str, str]]:
        """Give the systems of the catalogue to choose from."""
        return [(one, self.system(one)) for one in self.catalogue.connected()]

    def flows(self) -> list[tuple[str, str]]:
        """Give the flows of the catalogue to choose from."""
        return [(one.ref, self.flow(one.ref)) for one in self.catalogue.flows]

    def kinds(self) -> list[tuple[str, str]]:
        """Give the kinds of entries to choose from."""
        return [(one.value, self.kind(one)) for one in Kind]

    def states(self, shelf: Shelf, names: Iterable[str]) -> list[tuple[str, str]]:
        """Give the states of a list to choose from; ``all`` is every one."""
        return [
            (one, self.words("filter.all" if one == "all" else f"status.{shelf}.{one}"))
            for one in names
        ]

    def span(self, seconds: float | None) -> str:
        """Say how long something took, in the unit that fits."""
        if seconds is None:
            return self.words("unknown")
        for most, unit, in_one in _UNITS:
            if seconds < most:
                number = seconds / in_one
                shown = f"{number:.1f}" if unit == "seconds" and number < _FEW else f"{number:.0f}"
                return self.words(f"span.{unit}", number=shown)
        return self.words("span.days", number=f"{seconds / _DAY:.0f}")


_FEW = 10
_DAY = 86_400.0
_UNITS = ((120.0, "seconds", 1.0), (7200.0, "minutes", 60.0), (2 * _DAY, "hours", 3600.0))
_DIGITS = 18


def number_of(text: str) -> int:
    """Read a number of a row or an entry; 0, which none has, where it is no such number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else 0
