"""A closed month as one file that proves itself, made from either database."""

import datetime as dt
import gzip
import hashlib
import io
import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from hub.errors import LedgerError
from hub.ledger.evidence.certificate import certificate
from hub.ledger.model import Kind
from hub.ledger.store import DatabaseLedger
from hub.ledger.years.archive import ARCHIVE, ClosedMonth, archive_month, closed_months
from hub.ledger.years.archive_check import ArchiveError, check_archive, check_tape
from hub.ledger.years.records import Order
from hub.ledger.years.sealed import Identity, encrypt, read_identity
from hub.ledger.years.tape import END, member, members
from hub.message import AccessItems
from schemas.evidence.note import Signer
from tests.samples import SIGNER, entry
from tests.servers.ledgers import execute, opened

pytestmark = pytest.mark.contract

KEYS = [SIGNER.verifier]
BY = AccessItems("職員九", "後期高齢者医療課", "T-09", "保存", "archive")
ORDER = Order(BY, dt.datetime(2026, 7, 1, tzinfo=dt.UTC), SIGNER)


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    path = tmp_path / "identity"
    path.write_text(Identity.fresh().text())
    path.chmod(0o600)
    return path


def recipient_of(identity: Path) -> tuple[str, ...]:
    return (read_identity(identity).recipient,)


def fill(ledger: DatabaseLedger, *counts: int) -> None:
    """Append entries in months from April 2026 on, so many to each."""
    number = 0
    for month, count in enumerate(counts, 4):
        at = dt.datetime(2026, month, 2, tzinfo=dt.UTC)
        ledger.append([entry(number + n, at=at) for n in range(count)])
        number += count


def archive(ledger: DatabaseLedger, identity: Path, folder: Path, place: int = 1) -> Path:
    with ledger.engine.connect() as connection:
        month = closed_months(connection)[place]
    order = replace(ORDER, recipients=recipient_of(identity))
    return archive_month(ledger, month, folder, order).path


def opened_tape(path: Path, identity: Path) -> bytes:
    plain = io.BytesIO()
    with path.open("rb") as file:
        read_identity(identity).decrypt(file, plain)
    return gzip.decompress(plain.getvalue())


@pytest.mark.parametrize("counts", [(3, 4, 1), (256, 256, 1), (300, 700, 100), (1, 255, 1)])
def test_an_archive_proves_every_entry(
    url: str, tmp_path: Path, identity: Path, counts: tuple[int, ...]
) -> None:
    with opened(url) as ledger:
        fill(ledger, *counts)
        path = archive(ledger, identity, tmp_path / "out")
        last = list(ledger.entries())[-1]
        with ledger.engine.connect() as connection:
            months = closed_months(connection)
    checked = check_archive(path, read_identity(identity), KEYS)
    assert (checked.month, checked.salts, checked.without) == (202605, counts[1], 0)
    assert (checked.first, checked.last) == (counts[0] + 1, counts[0] + counts[1])
    assert checked.checkpoint.size >= checked.last
    assert path.stat().st_mode & 0o777 == 0o600
    assert (last.kind, last.code, last.access) == (Kind.EXPORT, ARCHIVE, BY)
    assert last.detail == f"month 202605 entries {checked.first}-{checked.last}"
    assert [one.archive for one in months[:2]] == ["", last.digest]


def test_an_archive_has_the_entries_and_their_salts(
    url: str, tmp_path: Path, identity: Path
) -> None:
    with opened(url) as ledger:
        fill(ledger, 2, 2, 1)
        path = archive(ledger, identity, tmp_path)
    contents = dict(members(io.BytesIO(opened_tape(path, identity))))
    bundle, salts = contents["entries/3-4"], contents["salts/3-4"]
    assert json.loads(bundle[2 : 2 + int.from_bytes(bundle[:2], "big")])["entry"] == 3
    assert salts[2:18] == entry(2).salt
    assert entry(2).salt not in path.read_bytes()


def test_an_erased_salt_is_no_fault(url: str, tmp_path: Path, identity: Path) -> None:
    with opened(url) as ledger:
        fill(ledger, 2, 3, 1)
        execute(url, "UPDATE ledger_entries_202605 SET salt = NULL WHERE seq = 4")
        checked = check_archive(archive(ledger, identity, tmp_path), read_identity(identity), KEYS)
    assert (checked.salts, checked.without) == (2, 1)


def test_the_month_that_still_grows_is_not_closed(url: str) -> None:
    with opened(url) as ledger:
        fill(ledger, 2, 2)
        with ledger.engine.connect() as connection:
            (month,) = closed_months(connection)
    assert (month.month.month, month.first, month.last) == (202604, 1, 2)


def test_nothing_is_overwritten_and_nothing_half_done_is_left(
    url: str, tmp_path: Path, identity: Path
) -> None:
    out = tmp_path / "out"
    with opened(url) as ledger:
        fill(ledger, 2, 2, 1)
        path = archive(ledger, identity, out)
        before, size = path.read_bytes(), ledger.size()
        with pytest.raises(LedgerError, match="not overwritten"):
            archive(ledger, identity, out)
        with pytest.raises(LedgerError, match="archive-key"):
            archive_month(ledger, first_month(ledger), out, ORDER)
        execute(url, "DELETE FROM ledger_entries_202604 WHERE seq = 2")
        with pytest.raises(LedgerError, match="not all there"):
            archive(ledger, identity, out, 0)
        assert ledger.size() == size
    assert path.read_bytes() == before
    assert list(out.iterdir()) == [path]


def first_month(ledger: DatabaseLedger) -> ClosedMonth:
    with ledger.engine.connect() as connection:
        return closed_months(connection)[0]


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Path, Path]:
    folder = tmp_path_factory.mktemp("archive")
    identity = folder / "identity"
    identity.write_text(Identity.fresh().text())
    identity.chmod(0o600)
    with opened(f"sqlite:///{folder / 'ledger.sqlite3'}") as ledger:
        fill(ledger, 200, 100, 300)
        path = archive(ledger, identity, folder)
    return opened_tape(path, identity), path, identity


def test_every_changed_byte_is_found(tape: tuple[bytes, Path, Path]) -> None:
    """In what was decrypted: whoever can encrypt to the key could have changed it."""
    content = tape[0]
    assert check_tape(io.BytesIO(content), KEYS).last == 300
    dice = random.Random(4)  # noqa: S311 - repeatable
    places = [dice.randrange(len(content)) for _ in range(400)] + [*range(0, 512, 7)]
    for place in [*places, len(content) - 1, len(content) - 1024, len(content) - 1500]:
        bad = bytearray(content)
        bad[place] ^= 1 << dice.randrange(8)
        with pytest.raises(ArchiveError):
            check_tape(io.BytesIO(bytes(bad)), KEYS)
    with pytest.raises(ArchiveError):
        check_tape(io.BytesIO(content + b"x"), KEYS)
    for length in (0, 1, 511, 512, 5000, len(content) - 512, len(content) - 1):
        with pytest.raises(ArchiveError):
            check_tape(io.BytesIO(content[:length]), KEYS)


def test_every_changed_byte_of_the_file_is_found(
    tape: tuple[bytes, Path, Path], tmp_path: Path
) -> None:
    _, path, identity = tape
    content = path.read_bytes()
    dice = random.Random(5)  # noqa: S311 - repeatable
    bad_file = tmp_path / "bad"
    for place in [dice.randrange(len(content)) for _ in range(60)] + [len(content) - 1]:
        bad = bytearray(content)
        bad[place] ^= 1 << dice.randrange(8)
        bad_file.write_bytes(bytes(bad))
        with pytest.raises(ArchiveError):
            check_archive(bad_file, read_identity(identity), KEYS)
    bad_file.write_bytes(content[:-70_000])
    with pytest.raises(ArchiveError):
        check_archive(bad_file, read_identity(identity), KEYS)


def rewritten(content: bytes, changes: dict[str, bytes]) -> bytes:
    """Change members and certify the whole anew with the hub's own key."""
    parts = dict(members(io.BytesIO(content))) | changes
    facts = [line.split(" ", 1) for line in parts["certificate"].decode().split("\n")[1:8]]
    body = b"".join(member(name, one) for name, one in parts.items() if name != "certificate")
    stated = [(k, hashlib.sha256(body).hexdigest() if k == "content" else v) for k, v in facts]
    note = certificate("renkei.archive/v1", stated, SIGNER)
    return body + member("certificate", note.encode()) + END


def test_the_certificate_alone_proves_nothing(tape: tuple[bytes, Path, Path]) -> None:
    """An operator with the hub's key cannot archive other entries than those of the tree."""
    content = tape[0]
    parts = dict(members(io.BytesIO(content)))
    assert check_tape(io.BytesIO(rewritten(content, {})), KEYS).first == 201
    name = "entries/201-256"
    changed = parts[name].replace("市民課".encode(), "税務課".encode(), 1)
    with pytest.raises(ArchiveError, match="entry 201 does not have its hash"):
        check_tape(io.BytesIO(rewritten(content, {name: changed})), KEYS)
    name = "salts/201-256"
    changed = bytes([*parts[name][:5], parts[name][5] ^ 1, *parts[name][6:]])
    with pytest.raises(ArchiveError, match="salt of entry 201"):
        check_tape(io.BytesIO(rewritten(content, {name: changed})), KEYS)
    for name in ("tile/0/000", "tile/1/000.p/2"):
        changed = bytes([parts[name][0] ^ 1, *parts[name][1:]])
        with pytest.raises(ArchiveError):
            check_tape(io.BytesIO(rewritten(content, {name: changed})), KEYS)


def test_what_is_no_archive_is_refused(identity: Path, tmp_path: Path) -> None:
    """Anybody can encrypt to a public key."""
    for content in (b"", b"text", gzip.compress(b"text"), gzip.compress(bytes(9000))[:-9]):
        path = tmp_path / "file"
        with path.open("wb") as file:
            encrypt(io.BytesIO(content), file, recipient_of(identity))
        with pytest.raises(ArchiveError):
            check_archive(path, read_identity(identity), KEYS)


def test_another_key_opens_and_proves_nothing(
    tape: tuple[bytes, Path, Path], identity: Path
) -> None:
    content, path, _ = tape
    with pytest.raises(ArchiveError, match="No matching keys"):
        check_archive(path, read_identity(identity), KEYS)
    with pytest.raises(ArchiveError, match="no key that was given"):
        check_tape(io.BytesIO(content), [Signer.generate("another/ledger").verifier])


def test_what_is_encrypted_comes_back(identity: Path) -> None:
    content = b"0123456789" * 20_000
    sealed, plain = io.BytesIO(), io.BytesIO()
    encrypt(io.BytesIO(content), sealed, recipient_of(identity))
    read_identity(identity).decrypt(io.BytesIO(sealed.getvalue()), plain)
    assert plain.getvalue() == content
    assert sealed.getvalue().startswith(b"age-encryption.org/v1\n")
