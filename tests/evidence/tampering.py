"""Random changes of an export's files, each undone by writing the files anew."""

import random
from collections.abc import Callable, Mapping
from pathlib import Path

from schemas.evidence.tiles import decode_bundle, encode_bundle, parse_path

Files = dict[str, bytes]


def files_of(folder: Path) -> Files:
    """Read a folder: path below it, and content."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def lay(folder: Path, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> None:
    """Turn a folder from one set of files into another."""
    for path in before.keys() - after.keys():
        (folder / path).unlink()
    for path, data in after.items():
        if before.get(path) != data:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)


def _pick(files: Files, chance: random.Random) -> str:
    return chance.choice(sorted(path for path, data in files.items() if data))


def alter_a_byte(files: Files, chance: random.Random) -> None:
    path = _pick(files, chance)
    data = bytearray(files[path])
    data[chance.randrange(len(data))] ^= chance.randrange(1, 256)
    files[path] = bytes(data)


def cut_a_file(files: Files, chance: random.Random) -> None:
    path = _pick(files, chance)
    files[path] = files[path][: chance.randrange(len(files[path]))]


def lengthen_a_file(files: Files, chance: random.Random) -> None:
    path = _pick(files, chance)
    files[path] += chance.randbytes(chance.choice([1, 2, 32, 8192]))


def insert_bytes(files: Files, chance: random.Random) -> None:
    path = _pick(files, chance)
    place = chance.randrange(len(files[path]))
    added = chance.randbytes(chance.choice([1, 2, 32]))
    files[path] = files[path][:place] + added + files[path][place:]


def drop_a_file(files: Files, chance: random.Random) -> None:
    del files[chance.choice(sorted(files))]


def add_a_file(files: Files, chance: random.Random) -> None:
    path = chance.choice(sorted(files))
    added = chance.choice(
        ["notes.txt", f"{path}.bak", "tile/0/999", "tile/4/000.p/1", "tile/entries/000.p/9"]
    )
    files[added] = files[path]


def swap_files(files: Files, chance: random.Random) -> None:
    one, other = chance.sample(sorted(files), 2)
    files[one], files[other] = files[other], files[one]


def move_a_file(files: Files, chance: random.Random) -> None:
    path = chance.choice(sorted(files))
    files[f"{path}.p/{chance.randrange(1, 256)}"] = files.pop(path)


def _entries(files: Files, chance: random.Random) -> tuple[str, list[bytes]]:
    path = chance.choice(sorted(one for one in files if one.startswith("tile/entries/")))
    return path, decode_bundle(files[path], parse_path(path).width)


def swap_entries(files: Files, chance: random.Random) -> None:
    path, entries = _entries(files, chance)
    one, other = chance.sample(range(len(entries)), 2)
    entries[one], entries[other] = entries[other], entries[one]
    files[path] = encode_bundle(entries)


def drop_an_entry(files: Files, chance: random.Random) -> None:
    path, entries = _entries(files, chance)
    del entries[chance.randrange(len(entries))]
    files[path] = encode_bundle(entries)


def insert_an_entry(files: Files, chance: random.Random) -> None:
    path, entries = _entries(files, chance)
    entries[chance.randrange(len(entries))] = chance.randbytes(chance.randrange(60))
    files[path] = encode_bundle(entries)


def split_an_entry(files: Files, chance: random.Random) -> None:
    """Move the border between two entries: the same bytes, other entries."""
    path, entries = _entries(files, chance)
    place = chance.randrange(len(entries) - 1)
    both = entries[place] + entries[place + 1]
    cut = chance.choice([at for at in range(len(both) + 1) if at != len(entries[place])])
    entries[place : place + 2] = [both[:cut], both[cut:]]
    files[path] = encode_bundle(entries)


Kind = Callable[[Files, random.Random], None]
FILE_KINDS: list[Kind] = [
    alter_a_byte,
    cut_a_file,
    lengthen_a_file,
    insert_bytes,
    drop_a_file,
    add_a_file,
    swap_files,
    move_a_file,
]
KINDS = [*FILE_KINDS, swap_entries, drop_an_entry, insert_an_entry, split_an_entry]


def changed_by(kind: Kind, files: Mapping[str, bytes], chance: random.Random) -> Files:
    """Give files with one change of a kind, never equal to what they were."""
    while True:
        changed = dict(files)
        kind(changed, chance)
        if changed != files:
            return changed


def tampered(files: Mapping[str, bytes], chance: random.Random) -> Files:
    """Give files with one change to five, never equal to what they were."""
    while True:
        changed = changed_by(chance.choice(KINDS), files, chance)
        for _ in range(chance.randrange(5)):
            chance.choice(FILE_KINDS)(changed, chance)
        if changed != files:
            return changed
