"""Proofs and cosignatures: what is handed out can be checked, and what is wrong is not."""

import datetime as dt

import pytest
from sqlalchemy import select

from hub.errors import LedgerError, QuestionError
from hub.ledger.evidence.cosign import cosign, keep, newest_cosigned
from hub.ledger.evidence.prove import Point, consistency, prove
from hub.ledger.leaf import read_leaf
from hub.ledger.model import Kind
from hub.ledger.store import DatabaseLedger
from hub.ledger.tables import checkpoints
from hub.ledger.verify.ledger import verify
from hub.message import AccessItems, MessageKey
from schemas.evidence.check import NotProved, check
from schemas.evidence.checkpoint import Checkpoint
from schemas.evidence.note import Cosigner, SignedNote, Signer
from schemas.evidence.proof import ConsistencyProof
from tests.evidence.exports import MadeLog, sample_entries
from tests.samples import NOW, PSEUDONYMS, REGISTRY, SIGNER, TAX, entry
from tests.servers.ledgers import execute, opened

pytestmark = pytest.mark.contract

WHO = AccessItems("職員二", "監査", "T-09", "監査", "prove")
KEY = SIGNER.verifier
AUDIT = Cosigner.generate("audit.example")
OTHER = Cosigner.generate("other.example")
MAY = NOW + dt.timedelta(days=31)


def proved(ledger: DatabaseLedger, first: Point, second: Point = None) -> ConsistencyProof:
    return consistency(ledger, SIGNER, first, second, WHO, NOW)


def last(ledger: DatabaseLedger) -> tuple[Kind, str, str]:
    entry = list(ledger.entries())[-1]
    return entry.kind, entry.code, entry.detail


def fill(ledger: DatabaseLedger, count: int = 600) -> None:
    """Give a ledger of more than two tiles, with four entries about file-1.7 in two months."""
    ledger.append([entry(n) for n in range(1000, 1000 + count)])
    of_7 = [
        entry(7),
        entry(7, receiver="union"),
        entry(7, kind=Kind.DELIVERY),
        entry(8),
        entry(7, kind=Kind.RECEIPT, code="delivered", at=MAY),
    ]
    for one in of_7:
        ledger.append([one])


def test_every_entry_about_a_message_is_proved(url: str) -> None:
    with opened(url) as ledger:
        fill(ledger)
        made = prove(ledger, KEY, "file-1.7", WHO, MAY)
        assert [one.entry.number for one in made] == [601, 602, 603, 605]
        assert [one.entry.kind for one in made] == [
            "acceptance",
            "acceptance",
            "delivery",
            "receipt",
        ]
        for one in made:
            checked = check(one.proof.encode(), [KEY])
            assert checked.kind == "inclusion"
            assert checked.facts["entry"] == one.entry.number
            assert read_leaf(str(checked.facts["content"])) == one.entry
            assert "file-1.7" in "\n".join(checked.said)
        recorded = list(ledger.entries())[-1]
        assert (recorded.kind, recorded.code) == (Kind.EXPORT, "proof")
        assert recorded.detail == f"message {REGISTRY}/file-1.7, 4 entries"
        assert recorded.resident == PSEUDONYMS.resident("000000000012345")
        assert checked.facts["size"] == recorded.number


def test_of_several_senders_one_is_to_be_named(url: str) -> None:
    with opened(url) as ledger:
        ledger.append([entry(7), entry(7, message=MessageKey(TAX, "file-1.7"))])
        with pytest.raises(QuestionError, match=f"{REGISTRY}, {TAX}"):
            prove(ledger, KEY, "file-1.7", WHO, NOW)
        assert last(ledger)[:2] == (Kind.LOG_VIEW, "proof")
        made = prove(ledger, KEY, "file-1.7", WHO, NOW, sender=TAX)
        assert [one.entry.number for one in made] == [2]


@pytest.mark.parametrize(("message", "sender"), [("900000000012345", ""), ("file-1.7", TAX)])
def test_a_message_that_is_not_there_is_recorded_without_what_was_typed(
    message: str, sender: str, url: str
) -> None:
    with opened(url) as ledger:
        ledger.append([entry(7)])
        with pytest.raises(LedgerError, match="no entry") as said:
            prove(ledger, KEY, message, WHO, NOW, sender=sender)
        assert message not in str(said.value)
        assert last(ledger) == (Kind.LOG_VIEW, "proof", "a message of which there is no entry")


def test_a_proof_holds_for_no_other_entry_and_with_no_other_key(url: str) -> None:
    with opened(url) as ledger:
        fill(ledger, 3)
        one, *_ = prove(ledger, KEY, "file-1.7", WHO, NOW)
    data = one.proof.encode()
    with pytest.raises(NotProved, match="another entry"):
        check(data, [KEY], entry=b"{}")
    with pytest.raises(NotProved, match="no key that was given"):
        check(data, [Signer.generate(KEY.name).verifier])
    for at in range(len(data)):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises(NotProved):
            check(changed, [KEY])


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger_entries_202604 SET detail = '\"x\"' WHERE seq = 601",
        "UPDATE ledger_tiles SET hashes = :zeros WHERE level = 1",
    ],
)
def test_nothing_is_proved_about_a_changed_ledger(change: str, url: str) -> None:
    with opened(url) as ledger:
        fill(ledger)
        execute(url, change, **({"zeros": bytes(64)} if ":zeros" in change else {}))
        with pytest.raises(LedgerError, match="verify"):
            prove(ledger, KEY, "file-1.7", WHO, NOW)


def test_growth_is_proved_between_any_two_states(url: str) -> None:
    with opened(url) as ledger:
        ledger.append([entry(n) for n in range(5)])
        early = SignedNote.parse(ledger.checkpoint())
        fill(ledger)
        points: list[tuple[Point, Point, int, int]] = [
            (early, None, 5, 611),
            (early, 300, 5, 300),
            (300, early, 5, 300),
            (0, 256, 0, 256),
            (5, 5, 5, 5),
            (None, None, 616, 616),
        ]
        for first, second, begin, end in points:
            made = proved(ledger, first, second)
            checked = check(made.encode(), [KEY])
            assert (checked.kind, checked.facts["first"], checked.facts["size"]) == (
                "consistency",
                begin,
                end,
            )
        assert proved(ledger, 5, None).first == early
        assert last(ledger) == (Kind.EXPORT, "consistency", "5 entries and the newest")


def test_a_checkpoint_that_the_ledger_no_longer_fits_is_told(url: str) -> None:
    forked = MadeLog(sample_entries(3), SIGNER).checkpoint()
    longer = MadeLog(sample_entries(40), SIGNER).checkpoint()
    foreign = MadeLog(sample_entries(3)).checkpoint()
    with opened(url) as ledger:
        ledger.append([entry(n) for n in range(5)])
        with pytest.raises(LedgerError, match="run renkei ledger verify"):
            proved(ledger, forked)
        with pytest.raises(LedgerError, match="set back"):
            proved(ledger, longer)
        with pytest.raises(LedgerError, match="no key that was given has signed"):
            proved(ledger, foreign)
        with pytest.raises(LedgerError, match="fewer than 99"):
            proved(ledger, 99)


def test_a_second_party_cosigns_what_has_only_grown(url: str) -> None:
    with opened(url) as ledger:
        ledger.append([entry(n) for n in range(5)])
        first = SignedNote.parse(ledger.checkpoint())
        signed = cosign(first, KEY, AUDIT, 1_800_000_000, previous=None, proof=None)
        assert check(signed.encode(), [KEY], [AUDIT.verifier]).facts["cosigned"] == {
            "audit.example": 1_800_000_000
        }
        proof = proved(ledger, signed)
        later = proof.second
        again = cosign(later, KEY, AUDIT, 1_800_000_060, previous=signed, proof=proof)
        assert again.cosigned([AUDIT.verifier])[0].at == 1_800_000_060
        same = cosign(later, KEY, AUDIT, 1_800_000_070, previous=again, proof=None)
        assert len(same.signatures) == 2
        with pytest.raises(LedgerError, match="ask the hub for a proof"):
            cosign(later, KEY, AUDIT, 1, previous=signed, proof=None)
        with pytest.raises(LedgerError, match="not cosigned by audit"):
            cosign(later, KEY, AUDIT, 1, previous=first, proof=proof)
        with pytest.raises(LedgerError, match="together they are evidence"):
            cosign(first, KEY, AUDIT, 1, previous=again, proof=proof)
        with pytest.raises(LedgerError, match="other checkpoints"):
            cosign(later, KEY, AUDIT, 1, previous=signed, proof=proved(ledger, 1, 2))
        with pytest.raises(LedgerError, match="nothing is cosigned"):
            cosign(later, Signer.generate("x").verifier, AUDIT, 1, previous=None, proof=None)


def test_a_fork_is_never_cosigned() -> None:
    log, other = MadeLog(sample_entries(20), SIGNER), MadeLog(sample_entries(30), SIGNER)
    other.entries[3] = b"rewritten"
    other.__post_init__()
    before = cosign(log.checkpoint(), KEY, AUDIT, 1, previous=None, proof=None)
    proof = ConsistencyProof(before, other.checkpoint(), ())
    with pytest.raises(LedgerError, match="nothing is cosigned"):
        cosign(other.checkpoint(), KEY, AUDIT, 2, previous=before, proof=proof)
    with pytest.raises(LedgerError, match="together they are evidence"):
        cosign(other.checkpoint(20), KEY, AUDIT, 2, previous=before, proof=proof)


def rows(ledger: DatabaseLedger) -> list[str]:
    with ledger.engine.connect() as connection:
        query = select(checkpoints.c.note).order_by(checkpoints.c.id)
        return list(connection.execute(query).scalars())


def test_cosignatures_of_known_parties_are_kept_once_each(url: str) -> None:
    known = [AUDIT.verifier]
    with opened(url) as ledger:
        ledger.append([entry()])
        assert newest_cosigned(ledger) is None
        plain = SignedNote.parse(ledger.checkpoint())
        ledger.append([entry(2)])
        ledger.checkpoint()
        once = cosign(plain, KEY, AUDIT, 100, previous=None, proof=None)
        both = cosign(once, KEY, OTHER, 100, previous=None, proof=None)
        told = keep(ledger, KEY, known, both, WHO, NOW)
        assert (told.size, told.new, told.unknown) == (1, ("audit.example",), ("other.example",))
        assert last(ledger) == (
            Kind.OPERATOR_ACTION,
            "cosignature",
            "checkpoint of 1 entries, by audit.example",
        )
        assert rows(ledger)[0] == once.encode().decode()
        size = ledger.size()
        assert keep(ledger, KEY, known, once, WHO, NOW).new == ()
        early = cosign(plain, KEY, AUDIT, 50, previous=None, proof=None)
        assert keep(ledger, KEY, known, early, WHO, NOW).new == ()
        assert ledger.size() == size
        late = cosign(plain, KEY, AUDIT, 200, previous=None, proof=None)
        assert keep(ledger, KEY, known, late, WHO, NOW).new == ("audit.example",)
        assert keep(ledger, KEY, [OTHER.verifier], both, WHO, NOW).new == ("other.example",)
        assert newest_cosigned(ledger) == SignedNote.parse(rows(ledger)[0])
        assert SignedNote.parse(rows(ledger)[0]).cosigned([AUDIT.verifier, OTHER.verifier])
        assert len(SignedNote.parse(rows(ledger)[0]).signatures) == 3
        assert proved(ledger, 1).first == SignedNote.parse(rows(ledger)[0])


def test_what_is_no_cosignature_of_a_kept_checkpoint_is_not_kept(url: str) -> None:
    known = [AUDIT.verifier]
    with opened(url) as ledger:
        ledger.append([entry()])
        plain = SignedNote.parse(ledger.checkpoint())
        forged = Cosigner.generate("audit.example").sign(plain.text, 1)
        line = AUDIT.sign(f"{plain.text}x\n", 1)
        unkept = MadeLog(sample_entries(1), SIGNER).checkpoint()
        extended = Checkpoint(KEY.name, 1, Checkpoint.parse(plain.text).root, ("x",)).text()
        sealed = SignedNote.signed(extended, [SIGNER.sign(extended)])
        for note, why in (
            (plain, "no cosignature of anybody"),
            (plain.with_line(forged), "no cosignature of anybody"),
            (plain.with_line(line), "does not verify"),
            (cosign(unkept, KEY, AUDIT, 1, previous=None, proof=None), "keeps no such checkpoint"),
            (cosign(sealed, KEY, AUDIT, 1, previous=None, proof=None), "keeps no such checkpoint"),
            (SignedNote.signed(plain.text, [AUDIT.sign(plain.text, 1)]), "not kept"),
        ):
            with pytest.raises(LedgerError, match=why):
                keep(ledger, KEY, known, note, WHO, NOW)
        assert ledger.size() == 1
        assert rows(ledger) == [plain.encode().decode()]


def test_a_kept_cosignature_is_verified(url: str) -> None:
    with opened(url) as ledger:
        ledger.append([entry()])
        plain = SignedNote.parse(ledger.checkpoint())
        signed = cosign(plain, KEY, AUDIT, 100, previous=None, proof=None)
        keep(ledger, KEY, [AUDIT.verifier], signed, WHO, NOW)
        assert verify(ledger.engine, KEY, cosigners=[AUDIT.verifier]).fault == ""
        assert "does not know" in verify(ledger.engine, KEY).fault
