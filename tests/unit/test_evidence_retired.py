"""A log gets another key: what the old one signed stands, and it signs nothing more."""

from dataclasses import replace

import pytest

from schemas.evidence.checkpoint import Checkpoint, open_checkpoint
from schemas.evidence.keys import NoteError, RetiredVerifier, Signer, Verifier, log_verifier
from schemas.evidence.note import SignedNote

pytestmark = pytest.mark.unit

OLD = Signer.generate("city.example/log")
NEW = Signer.generate(OLD.name).in_place_of(OLD, 8)
RETIRED = NEW.verifier.retired[0]


def checkpoint(signer: Signer, size: int) -> SignedNote:
    text = Checkpoint(signer.name, size, bytes([size]) * 32).text()
    return SignedNote.signed(text, [signer.sign(text)])


def test_the_log_keeps_its_name_and_its_old_key() -> None:
    assert NEW.name == OLD.name
    assert NEW.verifier.key != OLD.verifier.key
    assert NEW.verifier.keys == (NEW.verifier, RETIRED)
    assert RETIRED.last == 8
    assert RETIRED.key == OLD.verifier.key


def test_what_either_has_signed_in_its_time_stands() -> None:
    for signer, size in ((OLD, 1), (OLD, 8), (NEW, 9)):
        assert open_checkpoint(checkpoint(signer, size), [NEW.verifier]).size == size


def test_a_retired_key_signs_nothing_later() -> None:
    late = checkpoint(OLD, 9)
    assert open_checkpoint(late, [OLD.verifier]).size == 9
    with pytest.raises(NoteError, match="was retired after 8 entries, and signs nothing later"):
        open_checkpoint(late, [NEW.verifier])
    both = late.with_line(NEW.sign(late.text))
    with pytest.raises(NoteError, match="was retired"):
        open_checkpoint(both, [NEW.verifier])


def test_a_certificate_of_a_retired_key_stands() -> None:
    text = "renkei.destruction/v1\nmonth 201905\n"
    note = SignedNote.signed(text, [OLD.sign(text)])
    assert note.verified([NEW.verifier]) == [NEW.verifier]


def test_a_changed_text_is_still_refused() -> None:
    good = checkpoint(OLD, 8)
    bad = replace(good, text=good.text.replace("\n8\n", "\n7\n"))
    with pytest.raises(NoteError, match="does not verify"):
        open_checkpoint(bad, [NEW.verifier])


def test_keys_are_written_and_read_again() -> None:
    twice = Signer.generate(OLD.name).in_place_of(NEW, 20)
    again = Signer(twice.text())
    assert again.verifier == twice.verifier
    assert [one.last for one in again.verifier.retired] == [20, 8]
    for key in again.verifier.keys:
        assert log_verifier(key.text()) == replace(key, retired=())
    for signer in (OLD, NEW, twice):
        assert open_checkpoint(checkpoint(signer, 8), [again.verifier]).size == 8


def test_keys_given_one_by_one_are_put_together() -> None:
    given = [log_verifier(key.text()) for key in NEW.verifier.keys]
    assert Verifier.with_retired(given[::-1]) == NEW.verifier


@pytest.mark.parametrize(
    "keys",
    [[], [RETIRED], [OLD.verifier, NEW.verifier], [Signer.generate("another").verifier, RETIRED]],
)
def test_keys_that_are_not_of_one_log_are_refused(keys: list[Verifier]) -> None:
    with pytest.raises(NoteError):
        Verifier.with_retired(keys)


@pytest.mark.parametrize("size", ["", "-1", "08", "1e3", "9223372036854775808", "x"])
def test_a_retired_key_has_a_size(size: str) -> None:
    with pytest.raises(NoteError):
        RetiredVerifier.parse(f"{OLD.verifier.text()}@{size}")


def test_a_key_is_not_in_use_and_retired_at_once() -> None:
    with pytest.raises(NoteError, match="is in use, and cannot be a retired one too"):
        Signer(f"{OLD.text()}\n{RETIRED.text()}")
    with pytest.raises(NoteError):
        Signer(f"{OLD.text()}\n")
