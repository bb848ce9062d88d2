"""Go's checksum database packages accept our exports and proofs, and reject altered ones."""

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import schemas.evidence
from schemas.evidence.audit import audit
from schemas.evidence.merkle import consistency_proof, inclusion_proof
from schemas.evidence.note import Signer
from schemas.evidence.proof import ConsistencyProof, InclusionProof
from tests.evidence.exports import SIGNER, MadeLog, sample_entries
from tests.evidence.independent import GoVerifier, go_verifier
from tests.evidence.tampering import KINDS, Kind, changed_by, files_of, lay

pytestmark = pytest.mark.integration

SIZE = 600
LOG = MadeLog(sample_entries(SIZE))
KEY = SIGNER.verifier.text()
TAMPERINGS = 10
HARMLESS = ("add_a_file", "move_a_file", "lengthen_a_file")
"""It reads what it needs: a file too many, or bytes after a signature's end, it may not see."""


@pytest.fixture(scope="module")
def go() -> GoVerifier:
    return go_verifier()


@pytest.mark.parametrize("size", [1, 255, 256, 257, 600, 65_536, 65_537])
def test_an_export_is_accepted(size: int, go: GoVerifier, tmp_path: Path) -> None:
    log = MadeLog(sample_entries(size, length=8))
    folder = log.export(tmp_path / "export", log.checkpoint(cosigned_at=1_800_000_000))
    assert go.export(folder, KEY).said == "accepted"


def test_a_generated_key_and_an_export_signed_with_it_are_accepted(
    go: GoVerifier, tmp_path: Path
) -> None:
    log = MadeLog(LOG.entries, Signer.generate("hub.example/log"))
    folder = log.export(tmp_path / "export")
    assert go.export(folder, log.signer.verifier.text()).accepted
    assert not go.export(folder, KEY).accepted


@pytest.mark.parametrize(
    "kind",
    [kind for kind in KINDS if kind.__name__ not in HARMLESS],
    ids=lambda kind: kind.__name__,
)
def test_a_tampered_export_is_rejected_by_it_and_by_the_audit(
    kind: Kind, go: GoVerifier, tmp_path: Path
) -> None:
    folder = LOG.export(tmp_path / "export")
    good = files_of(folder)
    before = good
    for seed in range(TAMPERINGS):
        after = changed_by(kind, good, random.Random(seed))  # noqa: S311 - not for secrets
        lay(folder, before, after)
        before = after
        verdict = go.export(folder, KEY)
        assert not verdict.accepted, seed
        assert verdict.said.startswith("rejected: ")
        assert not audit(folder, LOG.verifiers).good, seed


def test_a_rewritten_tail_is_rejected(go: GoVerifier, tmp_path: Path) -> None:
    rewritten = MadeLog([*LOG.entries[:400], *sample_entries(200, length=80)])
    folder = rewritten.export(tmp_path / "export", LOG.checkpoint())
    assert not go.export(folder, KEY).accepted


@pytest.mark.parametrize("index", [0, 255, 256, 512, SIZE - 1])
def test_an_inclusion_proof_is_accepted_and_another_entry_is_not(
    index: int, go: GoVerifier, tmp_path: Path
) -> None:
    hashes = tuple(inclusion_proof(index, SIZE, LOG.range_root))
    file = tmp_path / "entry.tlog-proof"
    for entry, accepted in ((LOG.entries[index], True), (b"another", False)):
        file.write_bytes(InclusionProof(index, hashes, LOG.checkpoint(), entry).encode())
        assert go.inclusion(file, KEY).accepted is accepted


@pytest.mark.parametrize("first", [1, 255, 256, 300, SIZE])
def test_a_consistency_proof_is_accepted_and_a_rewritten_log_is_not(
    first: int, go: GoVerifier, tmp_path: Path
) -> None:
    hashes = tuple(consistency_proof(first, SIZE, LOG.range_root))
    rewritten = MadeLog([b"another", *LOG.entries[1:]])
    file = tmp_path / "consistency"
    for log, accepted in ((LOG, True), (rewritten, False)):
        proof = ConsistencyProof(LOG.checkpoint(first), log.checkpoint(), hashes)
        file.write_bytes(proof.encode())
        assert go.consistency(file, KEY).accepted is accepted


def test_the_audit_runs_alone_without_hub_and_database(tmp_path: Path) -> None:
    """The package in a folder of its own is enough; nothing else of the project is there."""
    folder = LOG.export(tmp_path / "export")
    alone = tmp_path / "alone" / "schemas"
    shutil.copytree(Path(schemas.evidence.__file__).parent, alone / "evidence")
    (alone / "__init__.py").touch()
    unwanted = ("adapters", "hub", "kombu", "mappings", "pika", "pydantic", "sqlalchemy")
    program = (
        f"import runpy, sys; sys.modules.update(dict.fromkeys({unwanted}));"
        "runpy.run_module('schemas.evidence.audit', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder), "--key", KEY],
        cwd=alone.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "good: every entry" in done.stdout
