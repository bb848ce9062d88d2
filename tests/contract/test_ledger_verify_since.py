"""Verification since an earlier checkpoint, beside a copy of one, and of a part."""

import sqlite3
from pathlib import Path

import pytest

from schemas.evidence.note import SignedNote, Signer
from tests.samples import SIGNER
from tests.servers.ledger_to_verify import DECEMBER, change, fill, some_entries, verified
from tests.servers.ledgers import execute, opened

pytestmark = pytest.mark.contract


def note_of(url: str, number: int) -> SignedNote:
    (row,) = execute(url, "SELECT note FROM ledger_checkpoints WHERE id = :id", id=number)
    return SignedNote.parse(row["note"])


def test_since_a_checkpoint_only_later_rows_are_looked_at(ledger: str) -> None:
    since = note_of(ledger, 4)  # of 337 entries
    assert verified(ledger, since=since).good
    assert verified(ledger, since=since.encode().decode()).good
    change(ledger, "UPDATE december SET at = at + 1 WHERE seq = 337")
    assert verified(ledger, since=since).good
    change(ledger, "UPDATE december SET at = at + 1 WHERE seq = 338")
    assert verified(ledger, since=since).first_bad == 338
    assert verified(ledger).first_bad == 337


def test_since_a_checkpoint_earlier_hashes_still_count(ledger: str) -> None:
    (row,) = execute(ledger, "SELECT hashes FROM ledger_tiles WHERE level = 0 AND n = 0")
    update = "UPDATE ledger_tiles SET hashes = :hashes WHERE level = 0 AND n = 0"
    change(ledger, update, hashes=bytes(32) + bytes(row["hashes"])[32:])
    assert verified(ledger, since=note_of(ledger, 4)).first_bad == 1


@pytest.mark.parametrize("what", ["since", "witness"])
def test_an_older_state_that_was_put_back_is_found_by_a_copy_of_a_checkpoint(
    url: str, what: str
) -> None:
    with opened(url) as ledger:
        fill(ledger, 40, 0)
        older = dump(url) if url.startswith("sqlite") else None
        ledger.append(list(some_entries(DECEMBER, 50, 10)))
        note = SignedNote.parse(ledger.checkpoint())
    if older is not None:
        put_back(url, older)
    else:
        change(url, "DELETE FROM ledger_checkpoints")
        change(url, "UPDATE ledger_head SET size = 40")
    found = verified(url, **{what: note})
    assert not found.good
    if older is not None:
        assert verified(url).good
        assert (found.first_bad, "cut off" in found.fault) == (41, True)


def dump(url: str) -> bytes:
    with sqlite3.connect(url.removeprefix("sqlite:///")) as database:
        return database.serialize()


def put_back(url: str, content: bytes) -> None:
    path = Path(url.removeprefix("sqlite:///"))
    for one in path.parent.glob(f"{path.name}*"):
        one.unlink()
    path.write_bytes(content)


def test_a_checkpoint_that_is_not_the_hubs_proves_nothing(ledger: str) -> None:
    note = note_of(ledger, 2)
    foreign = SignedNote.signed(note.text, [Signer.generate(SIGNER.name).sign(note.text)])
    assert "cannot be used" in verified(ledger, witness=foreign).fault
    assert "cannot be used" in verified(ledger, since="nonsense").fault


def test_a_checkpoint_of_another_tree_with_the_same_key_is_found(ledger: str) -> None:
    text = note_of(ledger, 2).text
    lines = text.splitlines()
    lines[1] = "39"
    other = "\n".join(lines) + "\n"
    note = SignedNote.signed(other, [SIGNER.sign(other)])
    assert "are not those" in verified(ledger, witness=note).fault


def test_a_part_is_verified_by_itself(ledger: str) -> None:
    change(ledger, "UPDATE november SET at = at + 1 WHERE seq = 10")
    part = verified(ledger, begin=300, end=500)
    assert (part.fault, part.through) == ("", 499)
    assert verified(ledger, begin=520).through == 600
    change(ledger, "UPDATE december SET at = at + 1 WHERE seq = 555")
    assert verified(ledger, begin=520).first_bad == 555
    assert verified(ledger, begin=257, end=513).good
