"""What keyed digests are called under the keys that were retired.

A digest cannot be turned back, so what it was under an old key is known only where both were
made of the same value. Whoever makes one digest makes the others with it, and they are remembered
here for those who look them up a moment later.
"""

KEPT = 50_000
"""So many digests are remembered, at least; a batch has some thousands."""


class Aliases:
    """The digests that this process made lately, each with what it was under the retired keys."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._former: dict[str, tuple[str, ...]] = {}
        self._today: dict[str, str] = {}
        self._earlier: tuple[dict[str, tuple[str, ...]], dict[str, str]] = ({}, {})

    def learn(self, today: str, former: tuple[str, ...]) -> None:
        """Remember a digest with those under the retired keys, the last one first."""
        if len(self._former) >= self._kept:
            self._earlier = (self._former, self._today)
            self._former, self._today = {}, {}
        self._former[today] = former
        for one in former:
            self._today[one] = today

    def former(self, today: str) -> tuple[str, ...]:
        """Give what a digest was under the retired keys; nothing where that is not known."""
        return self._former.get(today) or self._earlier[0].get(today, ())

    def today(self, digest: str) -> str:
        """Give what a digest is under today's key: itself, where nothing else is known."""
        return self._today.get(digest) or self._earlier[1].get(digest, digest)
