"""What gives a target its inputs: hypothesis, a plain mutator, and atheris where there is one.

Each engine runs in this process and returns how many inputs it gave; a finding is raised as it
is. atheris never returns: it ends the process, and writes how many inputs there were itself. It
sees only what is imported after it, so this module imports nothing of what is fuzzed.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.fuzz.targets import Target

SEED = 20_260_401
LONGEST = 8192
"""The most bytes of an input that atheris makes; seeds may be longer."""
_TIMEOUT_SECONDS = 20
_MEMORY_MEGABYTES = 2048
_EDITS = 6
_PIECES = (
    b"",
    b"\x00",
    b"\xff",
    b"\r\n",
    b'"',
    b",",
    b"T,1\r\n",
    b"<!DOCTYPE a>",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"9" * 40,
    b"{}",
    b"null",
    b"\xf0\xa0\xae\xb7",
    b"\x81",
)


def mutated(random: Random, seeds: Sequence[bytes]) -> bytes:
    """Make an input: some bytes at random, or a seed with a few things changed."""
    if random.random() < 0.1:
        return random.randbytes(random.randrange(300))
    data = bytearray(random.choice(seeds))
    for _ in range(random.randint(1, _EDITS)):
        start = random.randrange(len(data) + 1)
        end = min(len(data), start + random.choice((0, 1, 1, 2, 8, 64)))
        data[start:end] = _piece(random, data)
    if random.random() < 0.1:
        del data[random.randrange(len(data) + 1) :]
    return bytes(data)


def _piece(random: Random, data: bytes) -> bytes:
    match random.randrange(4):
        case 0:
            return random.choice(_PIECES)
        case 1:
            return random.randbytes(1)
        case 2:
            start = random.randrange(len(data) + 1)
            return data[start : start + random.randrange(40)]
        case _:
            return bytes([random.choice(data) ^ (1 << random.randrange(8))]) if data else b"\x01"


def mutate(target: "Target", inputs: int, start: int = SEED) -> int:
    """Give mutated seeds; the same start gives the same inputs."""
    seeds = list(target.seeds())
    random = Random(start)  # noqa: S311 - nothing is guarded by it
    for given_, data in enumerate((mutated(random, seeds) for _ in range(inputs)), start=1):
        try:
            target.feed(data)
        except Exception as error:
            error.add_note(f"{target.name}, input {given_} of start {start}: {data[:2000].hex()}")
            raise
    return inputs


def by_hypothesis(target: "Target", inputs: int) -> int:
    """Let hypothesis make inputs, and shrink what is found."""
    seeds, count = list(target.seeds()), [0]
    edit = st.tuples(
        st.integers(min_value=0, max_value=max(map(len, seeds))),
        st.integers(min_value=0, max_value=8),
        st.sampled_from(_PIECES) | st.binary(max_size=8),
    )
    edited = st.builds(_edited, st.sampled_from(seeds), st.lists(edit, min_size=1, max_size=_EDITS))

    @seed(SEED)
    @settings(
        max_examples=inputs,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(edited | st.binary(max_size=400))
    def feed(data: bytes) -> None:
        count[0] += 1
        target.feed(data)

    feed()
    return count[0]


def _edited(data: bytes, edits: Sequence[tuple[int, int, bytes]]) -> bytes:
    for place, length, piece in edits:
        data = data[:place] + piece + data[place + length :]
    return data


def by_atheris(make: Callable[[], "Target"], inputs: int, corpus: Path) -> None:
    """Let atheris make inputs by what they reach, from and into a folder; ends the process."""
    import atheris  # noqa: PLC0415 # ty: ignore - an extra that only the long run needs

    with atheris.instrument_imports(include=["hub", "schemas", "mappings", "adapters"]):
        target = make()
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(target.seeds()):
        (corpus / f"seed-{number:04}").write_bytes(data)
    arguments = [
        f"-runs={inputs}",
        f"-max_len={LONGEST}",
        f"-timeout={_TIMEOUT_SECONDS}",
        f"-rss_limit_mb={_MEMORY_MEGABYTES}",
        f"-artifact_prefix={corpus.parents[1]}/{target.name}-",
        "-print_final_stats=1",
        "-verbosity=0",
        str(corpus),
    ]
    atheris.Setup([sys.argv[0], *arguments], target.feed)
    atheris.Fuzz()
