"""Signed notes, keys, cosignatures and checkpoints: published vectors, and what is refused."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.evidence.checkpoint import Checkpoint, open_checkpoint
from schemas.evidence.merkle import EMPTY_ROOT
from schemas.evidence.note import (
    Cosignature,
    Cosigner,
    CosignerVerifier,
    NoteError,
    SignedNote,
    Signer,
    Verifier,
)
from tests.evidence.exports import COSIGNER, ORIGIN, SIGNER, WITNESS

pytestmark = pytest.mark.unit

# The example of C2SP signed-note.
C2SP_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
C2SP_NOTE = """\
This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""  # noqa: E501 - as it is published

# The example of Go's golang.org/x/mod/sumdb/note.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"  # noqa: S105 - published
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_LINE = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"  # noqa: E501 - as it is published

TEXT = Checkpoint(ORIGIN, 8, bytes(range(32))).text()
NOTE = SignedNote.signed(TEXT, [SIGNER.sign(TEXT), WITNESS.sign(TEXT, 1_800_000_000)])


def test_the_specifications_example_verifies() -> None:
    note = SignedNote.parse(C2SP_NOTE)
    verifier = Verifier.parse(C2SP_KEY)
    assert note.verified([verifier]) == [verifier]
    assert verifier.text() == C2SP_KEY
    assert note.encode().decode() == C2SP_NOTE


def test_gos_example_is_signed_alike() -> None:
    signer = Signer(GO_SECRET)
    assert (signer.text(), signer.verifier.text()) == (GO_SECRET, GO_KEY)
    assert signer.sign(GO_TEXT) == GO_LINE
    assert SignedNote.parse(f"{GO_TEXT}\n{GO_LINE}").verified([signer.verifier])


def test_the_message_of_a_cosignature_is_what_the_specification_says() -> None:
    raw = base64.b64decode(WITNESS.sign(TEXT, 1_679_315_147).split(" ")[2])
    key = WITNESS.verifier
    assert raw[:4] == key.key_id.to_bytes(4, "big")
    assert int.from_bytes(raw[4:12], "big") == 1_679_315_147
    plain = Verifier(key.name, key.key)
    assert plain.verify(f"cosignature/v1\ntime 1679315147\n{TEXT}", raw[12:])
    assert plain.key_id != key.key_id


@pytest.mark.parametrize("kind", [Signer, Cosigner])
def test_a_generated_key_is_read_again_and_not_shown(kind: type[Signer] | type[Cosigner]) -> None:
    made = kind.generate("hub.example/log")
    again = kind(made.text())
    assert again.verifier == made.verifier
    assert type(made.verifier).parse(made.verifier.text()) == made.verifier
    assert made.text() not in repr(made)
    secret = made.text().split("+", 4)[4]  # PRIVATE+KEY+name+id+base64, which may hold more of "+"
    assert len(secret) >= 40
    assert secret not in f"{made!r}{made}{vars(made)}"
    assert kind.generate("hub.example/log").text() != made.text()


def test_every_signature_of_a_known_key_is_verified_and_others_are_ignored() -> None:
    other = Signer.generate(ORIGIN)
    known = [SIGNER.verifier, WITNESS.verifier]
    assert NOTE.verified(known) == known
    assert NOTE.verified([other.verifier]) == []
    assert NOTE.verified([]) == []
    assert NOTE.cosigned([WITNESS.verifier]) == [Cosignature(COSIGNER, 1_800_000_000)]
    assert NOTE.with_line(other.sign(TEXT)).verified(known) == known


def test_a_signature_of_a_known_key_that_does_not_verify_refuses_the_note() -> None:
    foreign = Checkpoint(ORIGIN, 9, bytes(range(32))).text()
    for line, verifier in (
        (SIGNER.sign(foreign), SIGNER.verifier),
        (WITNESS.sign(foreign, 5), WITNESS.verifier),
    ):
        with pytest.raises(NoteError, match=f"signature of {verifier.name} does not verify"):
            NOTE.with_line(line).verified([verifier])


def test_a_cosignature_with_another_time_does_not_verify() -> None:
    raw = bytearray(NOTE.signatures[1].signature)
    raw[7] ^= 1
    assert not WITNESS.verifier.verify(TEXT, bytes(raw))
    assert not WITNESS.verifier.verify(TEXT, bytes(raw[:-1]))


def test_the_latest_of_a_cosigners_times_counts() -> None:
    note = NOTE.with_line(WITNESS.sign(TEXT, 1_700_000_000))
    assert note.cosigned([WITNESS.verifier]) == [Cosignature(COSIGNER, 1_800_000_000)]
    with pytest.raises(NoteError, match="time"):
        WITNESS.sign(TEXT, 1 << 63)


@given(st.integers(0, len(NOTE.encode()) - 1), st.integers(1, 255))
def test_any_altered_byte_is_found_or_takes_the_key_away(place: int, change: int) -> None:
    data = bytearray(NOTE.encode())
    data[place] ^= change
    known = [SIGNER.verifier, WITNESS.verifier]
    try:
        assert SignedNote.parse(bytes(data)).verified(known) != known
    except NoteError:
        return


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_whatever_is_parsed_is_written_alike(data: bytes | str) -> None:
    try:
        note = SignedNote.parse(data)
    except NoteError:
        return
    assert note.encode() == (data if isinstance(data, bytes) else data.encode())


LINE = SIGNER.sign("x\n")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x\n",
        b"x\n\n",
        f"x\n{LINE}".encode(),
        f"x\n\n{LINE}".encode()[:-1],
        f"x\n\n{LINE}\n".encode(),
        f"x\n\n{LINE}x\n".encode(),
        f"x\ty\n\n{LINE}".encode(),
        f"x\r\n\n{LINE}".encode(),
        b"\xff\n\n" + LINE.encode(),
        "x\n\n— name\n".encode(),
        "x\n\n— na+me AAAAAAAA\n".encode(),
        "x\n\n— na\u3000me AAAAAAAA\n".encode(),
        "x\n\n—  AAAAAAAA\n".encode(),
        "x\n\n— name AAAAAA==\n".encode(),
        "x\n\n— name AAAAAAA\n".encode(),
        "x\n\n— name AAAAAAB=\n".encode(),
        b"x\n\n- name AAAAAAAA\n",
        f"x\n\n{LINE * 101}".encode(),
        b"x" * (1 << 18) + f"\n\n{LINE}".encode(),
        f"\ud800\n\n{LINE}",
    ],
)
def test_what_is_no_note_is_refused(data: bytes | str) -> None:
    with pytest.raises(NoteError):
        SignedNote.parse(data)


def test_empty_lines_in_a_text_and_sixteen_signatures_are_accepted() -> None:
    text = "a\n\n\nb\n"
    signers = [Signer.generate(f"key{number}") for number in range(16)]
    note = SignedNote.signed(text, [one.sign(text) for one in signers])
    assert note.text == text
    assert len(note.verified([one.verifier for one in signers])) == 16


@pytest.mark.parametrize("text", ["", "x", "x\ry\n", "x\0\n"])
def test_what_is_no_text_is_not_signed(text: str) -> None:
    with pytest.raises(NoteError):
        SIGNER.sign(text)
    with pytest.raises(NoteError):
        WITNESS.sign(text, 0)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\nb", "a\x1fb"])
def test_a_name_that_no_key_can_have_is_refused(name: str) -> None:
    with pytest.raises(NoteError, match="name"):
        Signer.generate(name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+530d903a",
        C2SP_KEY + "\n",
        C2SP_KEY.replace("530d903a", "530D903A"),
        C2SP_KEY.replace("530d903a", "530d903b"),
        C2SP_KEY.replace("foo", "bar"),
        C2SP_KEY[:-4],
        C2SP_KEY.replace("+Aek", "+Bek"),
        C2SP_KEY[:-1] + "l",
        GO_SECRET,
        WITNESS.verifier.text(),
    ],
)
def test_what_is_no_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        Verifier.parse(text)


def test_keys_of_another_kind_are_refused_and_a_secret_is_not_told() -> None:
    with pytest.raises(NoteError, match="signature type 1, not 4"):
        CosignerVerifier.parse(C2SP_KEY)
    for kind, text in ((Cosigner, GO_SECRET), (Signer, WITNESS.text()), (Signer, GO_KEY)):
        with pytest.raises(NoteError, match="not a private key") as caught:
            kind(text)
        assert text not in str(caught.value)
    with pytest.raises(NoteError, match="does not fit its hash"):
        Signer(GO_SECRET.replace("c74f20a3", "c74f20a4"))


def test_a_checkpoint_is_written_as_the_specification_says() -> None:
    root = base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    checkpoint = Checkpoint("example.com/behind-the-sofa", 20_852_163, root)
    assert checkpoint.text() == text
    assert Checkpoint.parse(text) == checkpoint
    extended = Checkpoint("example.com/behind-the-sofa", 20_852_163, root, ("one", "two"))
    assert extended.text() == f"{text}one\ntwo\n"
    assert Checkpoint.parse(extended.text()) == extended


@pytest.mark.parametrize(
    "text",
    [
        "",
        "o\n1\n",
        "\n1\n" + "A" * 43 + "=\n",
        "o\n01\n" + "A" * 43 + "=\n",
        "o\n-1\n" + "A" * 43 + "=\n",
        "o\n\u0661\n" + "A" * 43 + "=\n",
        "o\n9223372036854775808\n" + "A" * 43 + "=\n",
        "o\n0\n" + "A" * 43 + "=\n",
        "o\n1\n" + "A" * 42 + "B=\n",
        "o\n1\n" + "A" * 40 + "\n",
        "o\n1\n" + "A" * 43 + "=",
        "o\n1\n" + "A" * 43 + "=\n\n",
        "o\n1\n" + "A" * 43 + "=\n\nx\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        Checkpoint.parse(text)


def test_an_empty_logs_checkpoint() -> None:
    assert Checkpoint.parse(Checkpoint("o", 0, EMPTY_ROOT).text()).root == EMPTY_ROOT
    with pytest.raises(NoteError, match="without entries"):
        Checkpoint("o", 0, bytes(32))


def test_a_checkpoint_is_opened_only_with_the_key_of_its_log() -> None:
    assert open_checkpoint(NOTE, [SIGNER.verifier]).size == 8
    other = Signer.generate("another.example/log")
    with pytest.raises(NoteError, match="no key that was given"):
        open_checkpoint(NOTE, [other.verifier])
    foreign = SignedNote.signed(TEXT, [other.sign(TEXT)])
    with pytest.raises(NoteError, match="no key that was given"):
        open_checkpoint(foreign, [other.verifier, SIGNER.verifier])
