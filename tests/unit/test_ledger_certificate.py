"""Certificates: what is signed is what is read, and nothing can hide in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.ledger.evidence.certificate import certificate, plain_value, read_certificate
from schemas.evidence.note import NoteError, Signer
from tests.samples import SIGNER

pytestmark = pytest.mark.unit

KIND = "renkei.destruction/v1"
FACTS = (("month", "202611"), ("entries", "1-2500"), ("entries", "9-9"), ("by", "職員一 市民課"))


def test_what_is_stated_is_read_back() -> None:
    note = certificate(KIND, FACTS, SIGNER)
    assert note.startswith("renkei.destruction/v1\nmonth 202611\nentries 1-2500\n")
    assert read_certificate(note, [SIGNER.verifier]) == (KIND, FACTS)
    assert read_certificate(note.encode(), [SIGNER.verifier]) == (KIND, FACTS)


@given(st.data())
def test_no_byte_can_be_changed(data: st.DataObject) -> None:
    note = bytearray(certificate(KIND, FACTS, SIGNER).encode())
    place = data.draw(st.integers(0, len(note) - 1))
    note[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(NoteError):
        read_certificate(bytes(note), [SIGNER.verifier])


def test_another_key_does_not_count() -> None:
    note = certificate(KIND, FACTS, SIGNER)
    with pytest.raises(NoteError, match="no key that was given"):
        read_certificate(note, [Signer.generate(SIGNER.name).verifier])


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        ("no version", (("a", "b"),)),
        (KIND, ()),
        (KIND, (("A", "b"),)),
        (KIND, (("a", ""),)),
        (KIND, (("a", " b"),)),
        (KIND, (("a", "b\nc d"),)),
        (KIND, (("a", "b\u2028c"),)),
        (KIND, (("a", "b\u202ec"),)),
        (KIND, (("a", "b\tc"),)),
    ],
)
def test_what_cannot_stand_in_a_certificate(kind: str, facts: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(NoteError):
        certificate(kind, facts, SIGNER)


@given(st.text())
def test_any_text_can_be_made_a_value(text: str) -> None:
    value = plain_value(text)
    assert read_certificate(certificate(KIND, [("a", value)], SIGNER), [SIGNER.verifier])[1] == (
        ("a", value),
    )
