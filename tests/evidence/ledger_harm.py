"""What somebody may do to a ledger's file, without SQL."""

import random
from pathlib import Path


def flip_bytes(rng: random.Random, path: Path) -> None:
    data = bytearray(path.read_bytes())
    start = rng.randrange(len(data))
    for at in range(start, min(start + rng.choice([1, 1, 1, 4]), len(data))):
        data[at] ^= rng.randrange(1, 256)
    path.write_bytes(data)


def flip_a_bit_of_content(rng: random.Random, path: Path) -> None:
    """Flip one bit where there is content: most bytes of a file are not zero for a reason."""
    data = bytearray(path.read_bytes())
    at = rng.choice([at for at in rng.sample(range(len(data)), 200) if data[at]])
    data[at] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def harm_pages(rng: random.Random, path: Path) -> None:
    """Cut the file, or blank, copy or exchange pages of it."""
    data = path.read_bytes()
    page = int.from_bytes(data[16:18], "big")
    pages = [data[at : at + page] for at in range(0, len(data), page)]
    one, other = rng.sample(range(len(pages)), 2)
    match rng.randrange(4):
        case 0:
            pages = pages[: max(other, 1)]
        case 1:
            pages[one] = bytes(page)
        case 2:
            pages[one] = pages[other]
        case _:
            pages[one], pages[other] = pages[other], pages[one]
    path.write_bytes(b"".join(pages))
