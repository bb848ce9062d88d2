"""Go's checksum database packages judge what leaves a real ledger."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.ledger.evidence.export import export
from hub.ledger.evidence.prove import consistency, prove
from hub.ledger.store import DatabaseLedger
from hub.message import AccessItems
from tests.evidence.independent import GoVerifier, go_verifier
from tests.samples import NOW, SIGNER, entry
from tests.servers.ledgers import opened

pytestmark = pytest.mark.integration

KEY = SIGNER.verifier
WHO = AccessItems("職員二", "監査", "T-09", "監査", "export")


@pytest.fixture(scope="module")
def go() -> GoVerifier:
    return go_verifier()


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseLedger]:
    with opened(f"sqlite:///{tmp_path_factory.mktemp('real')}/ledger.sqlite3") as ledger:
        ledger.append([entry(n) for n in range(700)])
        yield ledger


def test_an_export_is_accepted_and_a_tampered_one_is_not(
    ledger: DatabaseLedger, go: GoVerifier, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    for _ in range(2):
        export(ledger, KEY, folder, WHO, NOW)
        assert go.export(folder, KEY.text()).said == "accepted"
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    assert len(found) == 8
    for number, path in enumerate(found):
        bad = tmp_path / f"bad-{number}" / path.relative_to(folder)
        shutil.copytree(folder, tmp_path / f"bad-{number}")
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        bad.write_bytes(data)
        assert not go.export(tmp_path / f"bad-{number}", KEY.text()).accepted


def test_proofs_are_accepted_and_tampered_ones_are_not(
    ledger: DatabaseLedger, go: GoVerifier, tmp_path: Path
) -> None:
    file = tmp_path / "proof"
    (inclusion,) = prove(ledger, KEY, "file-1.77", WHO, NOW)
    data = inclusion.proof.encode()
    file.write_bytes(data)
    assert go.inclusion(file, KEY.text()).said == "accepted"
    file.write_bytes(data.replace(b"index 77\n", b"index 78\n"))
    assert not go.inclusion(file, KEY.text()).accepted
    data = consistency(ledger, SIGNER, 300, None, WHO, NOW).encode()
    file.write_bytes(data)
    assert go.consistency(file, KEY.text()).said == "accepted"
    file.write_bytes(data.replace(b"\n300\n", b"\n301\n"))
    assert not go.consistency(file, KEY.text()).accepted
