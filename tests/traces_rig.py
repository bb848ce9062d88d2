"""Takes spans for a test, and lets each file be followed."""

from dataclasses import dataclass, field

from hub import traces
from hub.message import MessageKey
from hub.traces import Context, Fact, Span, Step


@dataclass
class Followed:
    """Implements ``hub.traces.Traces``; remembers what it was told."""

    ratio: float = 1.0
    room: int = 1_000_000
    spans: list[Span] = field(default_factory=list)

    def begun(self, system: str, digest: str) -> str:
        return traces.begun(system, digest, self.ratio)

    def follow(self, message: MessageKey, context: Context) -> bool:
        assert message.id
        assert context.trace
        self.room -= 1
        return self.room >= 0

    def tell(self, span: Span) -> None:
        assert 0 < span.began <= span.ended
        self.spans.append(span)

    def of(self, step: Step) -> list[Span]:
        return [span for span in self.spans if span.step is step]

    def outcomes(self, step: Step) -> list[tuple[object, bool]]:
        """Give of each span of a step what became of it, and whether that is trouble."""
        return [(span.facts[Fact.OUTCOME], span.failed) for span in self.of(step)]
