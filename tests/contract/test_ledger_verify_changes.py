"""Verification finds what is not as it was written, and names the first bad entry."""

from dataclasses import replace
from pathlib import Path

import pytest

from hub.ledger import head as heads
from hub.ledger.edge import load_edge
from hub.ledger.reading import leaves
from hub.ledger.schema import open_engine
from hub.ledger.tables import entries
from hub.ledger.verify.ledger import verify
from hub.message import MessageKey
from schemas.evidence.merkle import leaf_hash
from schemas.evidence.note import Cosigner, SignedNote, Signer
from tests.samples import SIGNER, entry
from tests.servers.ledger_to_verify import HELD, change, destroy_november, erase_salts, verified
from tests.servers.ledgers import execute, opened

pytestmark = pytest.mark.contract

ONE_MORE = (
    "INSERT INTO december SELECT 601, at, case_id, message_no, digest, salt_check, detail, salt "
    "FROM december WHERE seq = 600"
)
OTHERS_SALT = "UPDATE november SET salt = (SELECT salt FROM november WHERE seq = 11) WHERE seq = 13"
TERMS_MORE = (
    "INSERT INTO ledger_terms SELECT (SELECT max(id) + 1 FROM ledger_terms), kind, message_type, "
    "flow, sender, receiver, code, basis, purpose, released, withheld, said, 'x' "
    "FROM ledger_terms WHERE id = 1"
)
CHANGES: dict[str, tuple[str, int | None, str]] = {
    "an entry": ("UPDATE december SET detail = '\"x\"' WHERE seq = 400", 400, "entry 400"),
    "an entry's time": ("UPDATE november SET at = at - 1 WHERE seq = 7", 7, "entry 7"),
    "an entry's case": (
        "UPDATE november SET case_id = case_id - 1 WHERE seq = 20",
        20,
        "entry 20",
    ),
    "a dropped entry": ("DELETE FROM november WHERE seq = 33", 33, "missing"),
    "the first entry": ("DELETE FROM november WHERE seq = 1", 1, "not those from 1"),
    "the last entry": ("DELETE FROM december WHERE seq = 600", 600, "not those from 301"),
    "an entry more": (
        ONE_MORE,
        601,
        "not those from 301",
    ),
    "a salt that is gone": (
        "UPDATE november SET salt = NULL WHERE seq = 11",
        11,
        "its salt is gone",
    ),
    "another's salt": (
        OTHERS_SALT,
        13,
        "its salt is not the one",
    ),
    "a message": ("UPDATE ledger_messages SET resident = 'x' WHERE no = 2", 3, "entry 3"),
    "a dropped message": ("DELETE FROM ledger_messages WHERE no = 2", 3, "missing"),
    "terms": ("UPDATE ledger_terms SET flow = 'I9' WHERE id = 2", 2, "row 2 was changed"),
    "what terms say": ("UPDATE ledger_terms SET said = said || ' ' WHERE id = 2", 2, "row 2 was"),
    "access items": ("UPDATE ledger_access SET staff = 'x' WHERE id = 1", 1, "row 1 was changed"),
    "a digest of access items": ("UPDATE ledger_access SET digest = 'x' WHERE id = 2", 2, "row 2"),
    "dropped terms": ("DELETE FROM ledger_terms WHERE id = 3", 3, "missing"),
    "terms more": (
        TERMS_MORE,
        None,
        "is not the last",
    ),
    "a case": ("UPDATE ledger_cases SET access_id = 1 WHERE id = 2", 2, "entry 2"),
    "a month": ("UPDATE ledger_months SET month = 202610 WHERE month = 202611", 1, "is missing"),
    "where a month begins": (
        "UPDATE ledger_months SET first_entry = 300 WHERE month = 202612",
        300,
        "not those from",
    ),
    "the message where a month begins": (
        "UPDATE ledger_months SET first_message = first_message - 1 WHERE month = 202612",
        301,
        "right message",
    ),
    "a month that was not destroyed": (
        "UPDATE ledger_months SET destroyed = 600 WHERE month = 202611",
        1,
        "nothing of the kind",
    ),
    "a tile more": ("INSERT INTO ledger_tiles VALUES (2, 0, no_bytes)", None, "level 2"),
    "a dropped tile": ("DELETE FROM ledger_tiles WHERE level = 0 AND n = 1", 257, "not whole"),
    "a dropped checkpoint": ("DELETE FROM ledger_checkpoints WHERE id = 2", 38, "row 2"),
    "the last checkpoint": ("DELETE FROM ledger_checkpoints WHERE id = 6", None, "head counts 6"),
    "a checkpoint's size": (
        "UPDATE ledger_checkpoints SET size = size + 1 WHERE id = 2",
        38,
        "not a checkpoint of the tree",
    ),
    "the head's size": ("UPDATE ledger_head SET size = 599", 600, "not those from"),
    "the head's messages": ("UPDATE ledger_head SET messages = messages - 1", None, "head counts"),
    "the head's cases": ("UPDATE ledger_head SET cases = cases + 1", None, "head counts"),
    "the head's seal": ("UPDATE ledger_head SET seal = ''", None, "seal"),
    "no head": ("DELETE FROM ledger_head", None, "one row"),
    "a table more": ("CREATE TABLE ledger_entries_202701 (seq INTEGER)", None, "no part"),
    "an index less": ("DROP INDEX ledger_messages_key", None, "is missing"),
    "a table less": ("DROP TABLE november", 1, "is missing"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_found_and_named(ledger: str, what: str) -> None:
    statement, first_bad, said = CHANGES[what]
    no_bytes = "x''" if ledger.startswith("sqlite") else "CAST('' AS bytea)"
    change(ledger, statement.replace("no_bytes", no_bytes))
    found = verified(ledger)
    assert not found.good
    assert said in found.fault
    if first_bad is not None:
        assert (found.first_bad, found.through) == (first_bad, first_bad - 1)


def test_the_first_of_several_bad_entries_is_named(ledger: str) -> None:
    change(ledger, "UPDATE december SET digest = 'x' WHERE seq IN (590, 310)")
    change(ledger, "UPDATE ledger_terms SET purpose = 'x' WHERE id = 1")
    assert verified(ledger).first_bad == 1
    change(ledger, "UPDATE ledger_terms SET purpose = '' WHERE id = 1")
    assert verified(ledger).first_bad == 310


def test_a_tile_that_was_changed_is_told_from_an_entry(ledger: str) -> None:
    (row,) = execute(ledger, "SELECT hashes FROM ledger_tiles WHERE level = 0 AND n = 0")
    hashes = bytearray(row["hashes"])
    hashes[40 * 32] ^= 1
    update = "UPDATE ledger_tiles SET hashes = :hashes WHERE level = 0 AND n = 0"
    change(ledger, update, hashes=bytes(hashes))
    found = verified(ledger)
    assert "tile 0 of level 0 was changed at entry 41; the entry itself is good" in found.fault


def test_entries_that_were_rewritten_with_their_tile_do_not_fit_the_one_above(ledger: str) -> None:
    change(ledger, "DELETE FROM ledger_checkpoints")  # none that vouches for a part of the tile
    change(ledger, "UPDATE december SET at = at + 1 WHERE seq = 400")
    with opened(ledger) as one, one.engine.connect() as connection:
        contents = [content for _, content in leaves(connection, 257, 513)]
    hashes = b"".join(leaf_hash(content.encode()) for content in contents)
    change(ledger, "UPDATE ledger_tiles SET hashes = :h WHERE level = 0 AND n = 1", h=hashes)
    found = verified(ledger)
    assert "entries 257-512: their hashes do not fit tile 0 of level 1" in found.fault
    assert (found.first_bad, found.through) == (257, 256)


def test_a_month_under_another_name_is_found(ledger: str) -> None:
    with opened(ledger) as one, one.engine.begin() as connection:
        entries(202610).create(connection)
    change(ledger, "INSERT INTO ledger_entries_202610 SELECT * FROM november")
    change(ledger, "DROP TABLE november")
    change(ledger, "UPDATE ledger_months SET month = 202610 WHERE month = 202611")
    assert "none of its entries is of that month" in verified(ledger).fault


@pytest.mark.parametrize("size", [1 << 50])
def test_a_head_that_speaks_of_any_number_of_entries_is_found_at_once(
    ledger: str, size: int
) -> None:
    change(ledger, "UPDATE ledger_head SET size = :size", size=size)
    found = verified(ledger)
    assert (found.first_bad, found.through) == (513, 512)


def test_a_seal_with_a_signature_more_is_found(ledger: str) -> None:
    (row,) = execute(ledger, "SELECT seal FROM ledger_head")
    note = SignedNote.parse(row["seal"])
    more = note.with_line(Signer.generate("stranger.example").sign(note.text))
    change(ledger, "UPDATE ledger_head SET seal = :seal", seal=more.encode().decode())
    assert "more than the hub's signature" in verified(ledger).fault


@pytest.mark.parametrize("what", ["messages", "cases"])
def test_what_no_entry_uses_is_found_even_where_the_hub_sealed_it(ledger: str, what: str) -> None:
    rows = {
        "messages": "INSERT INTO ledger_messages SELECT max(no) + 1, 'x', 'x', '' "
        "FROM ledger_messages",
        "cases": "INSERT INTO ledger_cases SELECT max(id) + 1, 2, 1 FROM ledger_cases",
    }
    with opened(ledger) as one, one.engine.begin() as connection:
        connection.exec_driver_sql(rows[what])
        head = heads.read(connection)[0]
        root = load_edge(connection, head.size).root()
        more = {what: getattr(head, what) + 1}
        heads.write(connection, replace(head, **more).sealed(root, SIGNER))
    assert "that no entry uses" in verified(ledger).fault


def test_a_fault_that_halts_the_ledger_is_told_and_is_no_fault_of_its_own(ledger: str) -> None:
    change(ledger, "UPDATE ledger_head SET fault = 'seen before'")
    found = verified(ledger)
    assert (found.good, found.halted) == (True, "seen before")


def test_another_key_is_refused(ledger: str) -> None:
    engine = open_engine(ledger)
    try:
        found = verify(engine, Signer.generate(SIGNER.name).verifier)
    finally:
        engine.dispose()
    assert "not" in found.fault
    assert not found.good


def test_a_signature_of_somebody_unknown_under_a_checkpoint_is_found(ledger: str) -> None:
    (row,) = execute(ledger, "SELECT note FROM ledger_checkpoints WHERE id = 3")
    note = SignedNote.parse(row["note"])
    line = Cosigner.generate("stranger.example").sign(note.text, 1_790_000_000)
    more = note.with_line(line).encode().decode()
    change(ledger, "UPDATE ledger_checkpoints SET note = :note WHERE id = 3", note=more)
    assert "a key that the site does not know" in verified(ledger).fault


def test_a_code_that_a_leaf_cannot_tell_is_found(ledger: str) -> None:
    from hub.ledger.numbers import said_digest  # noqa: PLC0415

    (row,) = execute(ledger, "SELECT id, said FROM ledger_terms WHERE kind = 'delivery' LIMIT 1")
    digest = said_digest(row["said"], "delivered")
    update = "UPDATE ledger_terms SET code = 'delivered', digest = :digest WHERE id = :id"
    change(ledger, update, digest=digest, id=row["id"])
    assert "was changed" in verified(ledger).fault


def test_a_sender_and_an_id_that_give_the_same_leaf_are_found(url: str) -> None:
    with opened(url) as one:
        one.append([replace(entry(), message=MessageKey("a", "b/c"))])
    assert verified(url).good
    change(url, "UPDATE ledger_messages SET sender = 'a/b', message_id = 'c'")
    assert "slash" in verified(url).fault


def test_a_salt_is_not_erased_by_an_entry_about_another(ledger: str) -> None:
    erase_salts(ledger, HELD)
    assert verified(ledger).good
    change(ledger, "UPDATE december SET salt = NULL WHERE seq = 500")
    found = verified(ledger)
    assert (found.first_bad, "no entry says" in found.fault) == (500, True)


@pytest.mark.parametrize("column", ["first_entry", "first_message", "destroyed", "month"])
@pytest.mark.parametrize("by", [-1, 1])
def test_a_month_after_retention_is_held_to_what_its_entry_says(
    ledger: str, tmp_path: Path, column: str, by: int
) -> None:
    destroy_november(ledger, tmp_path)
    by *= 89 if column == "month" else 1  # from 202612 to 202701
    change(ledger, f"UPDATE ledger_months SET {column} = {column} + {by} WHERE month = 202612")  # noqa: S608
    assert not verified(ledger).good


def test_texts_quote_no_value(ledger: str) -> None:
    change(ledger, "UPDATE december SET detail = '\"秘密\"' WHERE seq = 400")
    change(ledger, "UPDATE ledger_access SET staff = '秘密'")
    change(ledger, "UPDATE ledger_months SET first_message = 4444")
    assert "秘密" not in str(replace(verified(ledger), root=b""))
