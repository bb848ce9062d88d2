"""Proof files: what they prove, and that nothing altered proves anything."""

import random

import pytest

from schemas.evidence.merkle import consistency_proof, inclusion_proof
from schemas.evidence.note import NoteError, Signer
from schemas.evidence.proof import ConsistencyProof, InclusionProof, ProofError
from tests.evidence.exports import COSIGNER, MadeLog, sample_entries, witnesses

pytestmark = pytest.mark.unit

LOG = MadeLog([*sample_entries(300), b""])
SIZE = len(LOG.entries)
SEED = 4


def inclusion(index: int, *, entry: bool = True) -> InclusionProof:
    hashes = inclusion_proof(index, SIZE, LOG.range_root)
    held = LOG.entries[index] if entry else None
    return InclusionProof(index, tuple(hashes), LOG.checkpoint(cosigned_at=7), held)


def consistency(first: int, second: int = SIZE) -> ConsistencyProof:
    hashes = consistency_proof(first, second, LOG.range_root)
    second_note = LOG.checkpoint(second, cosigned_at=7)
    return ConsistencyProof(LOG.checkpoint(first), second_note, tuple(hashes))


@pytest.mark.parametrize("index", [0, 1, 255, 256, SIZE - 1])
def test_an_inclusion_proof_proves_its_entry(index: int) -> None:
    proof = InclusionProof.parse(inclusion(index).encode())
    proved = proof.check(LOG.verifiers, witnesses())
    assert (proved.index, proved.entry) == (index, LOG.entries[index])
    assert (proved.checkpoint.size, proved.checkpoint.root) == (SIZE, LOG.root(SIZE))
    assert [(one.name, one.at) for one in proved.cosignatures] == [(COSIGNER, 7)]


def test_the_file_is_a_c2sp_proof() -> None:
    lines = inclusion(3).encode().decode().split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1].startswith("extra ")
    assert lines[2] == "index 3"
    assert lines.index("") == 3 + len(inclusion(3).hashes)
    assert "\n".join(lines[lines.index("") + 1 :]).encode() == inclusion(3).checkpoint.encode()


def test_a_proof_without_its_entry_needs_it() -> None:
    proof = InclusionProof.parse(inclusion(9, entry=False).encode())
    assert proof.entry is None
    assert proof.check(LOG.verifiers, entry=LOG.entries[9]).entry == LOG.entries[9]
    with pytest.raises(ProofError, match="give the entry"):
        proof.check(LOG.verifiers)
    with pytest.raises(ProofError, match="does not lead to the root"):
        proof.check(LOG.verifiers, entry=LOG.entries[8])
    with pytest.raises(ProofError, match="another entry"):
        inclusion(9).check(LOG.verifiers, entry=LOG.entries[8])


@pytest.mark.parametrize("first", [0, 1, 64, 255, 256, 300, SIZE])
def test_a_consistency_proof_proves_growth(first: int) -> None:
    proof = ConsistencyProof.parse(consistency(first).encode())
    proved = proof.check(LOG.verifiers, witnesses())
    assert (proved.first.size, proved.second.size) == (first, SIZE)
    assert [one.at for one in proved.cosignatures] == [7]


def test_every_altered_byte_of_a_file_is_found() -> None:
    chance = random.Random(SEED)  # noqa: S311 - not for secrets
    for kind, whole in (
        (InclusionProof, inclusion(77).encode()),
        (ConsistencyProof, consistency(77).encode()),
    ):
        for place in range(len(whole)):
            data = bytearray(whole)
            data[place] ^= chance.randrange(1, 256)
            assert not proves(kind, bytes(data)), (SEED, place)
        for place in range(len(whole)):
            assert not proves(kind, whole[:place]), place
            assert not proves(kind, whole[:place] + b"A" + whole[place:]), place


def proves(kind: type[InclusionProof | ConsistencyProof], data: bytes) -> bool:
    """Say whether a file still proves with the log's and the cosigner's signature."""
    try:
        return bool(kind.parse(data).check(LOG.verifiers, witnesses()).cosignatures)
    except ProofError:
        return False


def test_the_key_of_another_log_proves_nothing() -> None:
    other = [Signer.generate("another.example/log").verifier]
    for proof in (inclusion(0), consistency(5)):
        with pytest.raises(ProofError, match="cannot be trusted: no key"):
            proof.check(other)


def test_checkpoints_of_two_logs_are_not_consistent() -> None:
    other = MadeLog(LOG.entries, Signer.generate("another.example/log"))
    proof = ConsistencyProof(other.checkpoint(5), LOG.checkpoint(), consistency(5).hashes)
    with pytest.raises(ProofError, match="different logs"):
        proof.check([*LOG.verifiers, *other.verifiers])


def test_a_rewritten_log_is_not_consistent() -> None:
    rewritten = MadeLog([*LOG.entries[:3], b"another", *LOG.entries[4:]])
    hashes = consistency_proof(5, SIZE, rewritten.range_root)
    proof = ConsistencyProof(LOG.checkpoint(5), rewritten.checkpoint(), tuple(hashes))
    with pytest.raises(ProofError, match="does not lead to the root"):
        proof.check(LOG.verifiers)


@pytest.mark.parametrize(
    ("whole", "wanted"),
    [
        (b"", "first line"),
        (b"\xff", "UTF-8"),
        (b"x" * 700_000, "longer"),
        (b"c2sp.org/tlog-proof@v1\n\n", "no index"),
        (b"c2sp.org/tlog-proof@v1\nindex 01\n\n", "no index"),
        (b"c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\n", "32 bytes"),
        (b"c2sp.org/tlog-proof@v1\nindex 1\n#\n\n", "not base64"),
        (b"c2sp.org/tlog-proof@v1\nindex 1" + b"\nAAAA" * 65 + b"\n\n", "more than 64"),
        (b"c2sp.org/tlog-proof@v1\nindex 1\n\nx\n", "cannot be read"),
    ],
)
def test_what_is_no_proof_is_refused(whole: bytes, wanted: str) -> None:
    with pytest.raises(ProofError, match=wanted):
        InclusionProof.parse(whole)
    with pytest.raises(ProofError):
        ConsistencyProof.parse(whole)


def test_a_proof_error_is_a_value_error_that_no_note_error_hides_behind() -> None:
    assert issubclass(ProofError, ValueError)
    assert not issubclass(NoteError, ProofError)
