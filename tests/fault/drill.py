"""How a drill goes: load, strikes, recovery, the check, and what is noted of it."""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import accumulate
from math import inf
from random import Random
from signal import SIGKILL

from tests.fault.arrivals import RECEIVERS, Arrivals
from tests.fault.check import check
from tests.fault.ground import Ground, say
from tests.fault.load import REGISTRY, TAX, Load
from tests.fault.results import Result, note, summary
from tests.fault.strikes import Strike

RECOVERY_SECONDS = 120.0
"""After so long without recovery a drill fails."""
GRACE_SECONDS = 0.5
"""What was given so soon after the begin of a harm may have passed before it."""
TELL_SECONDS = 10.0
TURN_SECONDS = 0.05
SLOWEST_SHOWN = 3


class NoRecovery(AssertionError):
    """Nothing arrives any more, although the harm is long over."""


@dataclass
class Drill:
    """One drill on a ground: ``chance`` comes from its seed, which is printed.

    What it ``timed`` itself stands in its row in place of the recoveries, and ``note`` says what
    that is.
    """

    name: str
    ground: Ground
    load: Load
    arrivals: Arrivals
    chance: Random
    began: float = field(default_factory=time.monotonic)
    timed: list[tuple[Strike, float]] = field(default_factory=list)
    note: str = ""
    _told: float = 0.0

    def wait(self, seconds: float) -> None:
        """Let the load go on for so long."""
        self.until(lambda: False, seconds)

    def until(self, event: Callable[[], bool], seconds: float) -> bool:
        """Tend the ground until an event, for so long at most; say whether it came."""
        deadline = time.monotonic() + seconds
        while not event():
            if time.monotonic() > deadline:
                return False
            self.ground.tend()
            self._tell()
            time.sleep(TURN_SECONDS)
        return True

    def has_recovered(self) -> bool:
        """Say whether a message that was sent after the last harm is at every receiver."""
        strikes = self.ground.strikes.done
        after = max((strike.over for strike in strikes), default=self.began)
        return time.monotonic() > after and recovered(self, after)

    def recover(self) -> None:
        """Wait until what was struck works again.

        Raises:
            NoRecovery: it does not.
        """
        if not self.until(self.has_recovered, RECOVERY_SECONDS):
            last = self.ground.strikes.done[-1:]
            raise NoRecovery(f"{self.name}: no recovery from {last}")

    def bites(self, began: float) -> None:
        """See that a harm that is to stop everything has let through nothing given since then.

        Raises:
            AssertionError: something passed, so the drill drills nothing.
        """
        first = self.arrivals.first
        passed = [
            one.key
            for one in self.load.since(began + GRACE_SECONDS)
            if any((one.key, receiver) in first for receiver in RECEIVERS)
        ]
        assert not passed, f"{self.name}: {passed[:3]} passed nevertheless"

    @contextmanager
    def harm(self, victim: str, how: str) -> Iterator[Strike]:
        """Note what is done in the block as one strike that is over with it."""
        strike = self.ground.strikes.note(victim, how, seconds=RECOVERY_SECONDS)
        try:
            yield strike
        finally:
            strike.over = time.monotonic()

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self._told > TELL_SECONDS:
            self._told = now
            done = len(self.ground.strikes.done)
            arrived = len(self.arrivals.copies)
            say(
                f"  {self.name}: {now - self.began:.0f} s, {done} faults, "
                f"{len(self.load.sent)} messages sent, {arrived} copies arrived"
            )


def recovered(drill: Drill, after: float) -> bool:
    """Say whether every sender's messages of after a moment have begun to reach every receiver."""
    open_ways = {(sender, receiver) for sender in (REGISTRY, TAX) for receiver in RECEIVERS}
    for sent in drill.load.since(after):
        for receiver in RECEIVERS:
            if (sent.key, receiver) in drill.arrivals.first:
                open_ways.discard((sent.key.sender, receiver))
        if not open_ways:
            return True
    return False


def all_arrived(drill: Drill, begin: float, end: float) -> float | None:
    """Say when the last copy was there of what was given between two moments; none until then."""
    given = [one for one in drill.load.since(begin) if one.at < end]
    there = [drill.arrivals.first.get((one.key, to)) for one in given for to in RECEIVERS]
    times = [at for at in there if at is not None]
    return max(times) if given and len(times) == len(there) else None


def recoveries(drill: Drill) -> list[tuple[Strike, float]]:
    """Give for each strike the seconds from its end until all senders reach all receivers again.

    It is the arrival of the first message that was given after the end, at the last of them.
    Strikes that nothing came after are left out.
    """
    found = [0.0] * len(drill.ground.strikes.done)
    for sender in (REGISTRY, TAX):
        given = [one for one in drill.load.sent.values() if one.key.sender == sender]
        moments = [one.at for one in given]
        for receiver in RECEIVERS:
            times = [drill.arrivals.first.get((one.key, receiver), inf) for one in given]
            # From each message on, when the first of it and those after it was there.
            firsts = list(accumulate(reversed(times), min))[::-1]
            for number, strike in enumerate(drill.ground.strikes.done):
                place = bisect_left(moments, strike.over)
                first = firsts[place] if place < len(firsts) else inf
                found[number] = max(found[number], first - strike.over)
    paired = zip(drill.ground.strikes.done, found, strict=True)
    return [(strike, round(seconds, 3)) for strike, seconds in paired if seconds < inf]


@dataclass
class Ready:
    """A ground at work with its load, for one drill after another until one fails."""

    ground: Ground
    load: Load
    arrivals: Arrivals
    broker: str
    long: bool
    spoiled: bool = False

    @contextmanager
    def loaded(self, name: str, seed: int) -> Iterator[Drill]:
        """Put the ground under load until the block is over and all that was given is confirmed.

        It counts as spoiled until a check has found everything in order.
        """
        say(f"\ndrill: {name} (seed {seed})")
        self.spoiled = True
        self.load.forget()
        self.arrivals.copies.clear()
        self.ground.strikes.done.clear()
        drill = Drill(name, self.ground, self.load, self.arrivals, Random(seed))  # noqa: S311
        self.load.start()
        try:
            drill.recover()  # before anything is struck, everything has to work
            yield drill
        except BaseException:
            self.load.abort()
            raise
        self.load.end()

    def conduct(self, name: str, seed: int, act: Callable[[Drill], None]) -> Result:
        """Run a drill, check what it left, note it, and say so.

        Raises:
            AssertionError: something is lost, doubled or out of order, or does not verify,
                reconcile or recover.
        """
        with self.loaded(name, seed) as drill:
            act(drill)
            self.ground.whole()
            drill.recover()
        verdict = check(self.ground, self.arrivals, self.load.sent)
        strikes = self.ground.strikes.done
        recovered_from = drill.timed or recoveries(drill)
        result = Result(
            drill=name,
            times=len(strikes),
            messages=verdict.messages,
            lost=verdict.lost,
            doubled=verdict.doubled,
            aside=verdict.aside,
            recovery=[seconds for _, seconds in recovered_from],
            kills=sum(1 for strike in strikes if strike.how == SIGKILL.name),
            seed=str(seed),
            broker=self.broker,
            ledger="SQLite" if self.ground.database is None else "PostgreSQL",
            note=drill.note,
        )
        note(result, long=self.long)
        told = summary(result.recovery).items()
        took = ", ".join(f"{what} {value:.1f} s" for what, value in told)
        say(
            f"  {result.times} faults, {verdict.messages} messages, {verdict.copies} copies: "
            f"{verdict.lost} lost, {verdict.doubled} doubled, {verdict.aside} set aside; "
            f"recovery {took or 'not told'}"
        )
        slowest = sorted(recovered_from, key=lambda told: -told[1])[:SLOWEST_SHOWN]
        for strike, seconds in slowest:
            say(f"    {seconds:.1f} s after {strike.how} of {strike.victim}")
        assert not verdict.faults, "\n".join([f"{name}, seed {seed}:", *verdict.faults])
        self.spoiled = False
        return result
