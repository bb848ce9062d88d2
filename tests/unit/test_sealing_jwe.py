"""Tokens and data keys: as the RFCs and another implementation have them, and nothing else."""

import base64
import datetime as dt
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import example, given
from hypothesis import strategies as st
from joserfc import jwe
from joserfc.jwk import ECKey, OctKey

from hub.sealing.datakeys import (
    MOST_USES,
    ReaderKey,
    kid_of,
    new_data_key,
    opened_data_key,
)
from hub.sealing.jwe import Cipher, Unreadable, decoded, encoded, header_of

pytestmark = pytest.mark.unit

DAY = dt.date(2026, 4, 1)
AT = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
PRIVATE = ec.derive_private_key(20261128, ec.SECP256R1())
OTHER = ec.derive_private_key(2026, ec.SECP256R1())
READER = ReaderKey("hub.0a1b2c3d", "hub", PRIVATE.public_key(), AT, AT)
KEY = bytes(range(32))
CONTENT = b"tax\nf-1\nmy_number\n123456789018"
TOKEN = Cipher(KEY).encrypt(Cipher.header("20260401-00000000"), CONTENT)
WRAPPED = new_data_key(READER, DAY).wrapped

contents = st.binary(min_size=1, max_size=300)
keys = st.binary(min_size=32, max_size=32)


@given(keys, contents, st.from_regex(r"[0-9]{8}-[0-9a-f]{8}", fullmatch=True))
def test_joserfc_opens_what_is_written_here(key: bytes, content: bytes, kid: str) -> None:
    token = Cipher(key).encrypt(Cipher.header(kid), content)
    found = jwe.decrypt_compact(token, OctKey.import_key(key), algorithms=["dir", "A256GCM"])
    assert found.plaintext == content
    assert found.headers() == {"alg": "dir", "enc": "A256GCM", "kid": kid}


@given(keys, contents)
def test_what_joserfc_writes_is_opened_here(key: bytes, content: bytes) -> None:
    protected = {"alg": "dir", "enc": "A256GCM", "kid": "k"}
    token = jwe.encrypt_compact(protected, content, OctKey.import_key(key), ["dir", "A256GCM"])
    assert Cipher(key).decrypt(token.encode()) == content


def test_the_example_of_rfc_7516_is_opened() -> None:
    """RFC 7516, A.1: the content is encrypted by A256GCM; only the key came in another way."""
    cek = bytes.fromhex("b1a1f480548fe1733fb403ff6b9ad4f68a076e5b702e22692f82cb2e7aea40fc")
    parts = (
        b"eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ",
        b"48V1_ALb6US04U3b",
        b"5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6jiSdiwkIr3ajwQzaBtQD_A",
        b"XFBoMYUZodetZdvTiFvSkQ",
    )
    cipher, token = Cipher(cek), b"%b..%b.%b.%b" % parts
    with pytest.raises(Unreadable, match="other algorithms"):
        cipher.decrypt(token)
    cipher._header = parts[0]
    told = b"The true sign of intelligence is not knowledge but imagination."
    assert cipher.decrypt(token) == told


@given(st.binary(max_size=100))
def test_base64url_is_that_of_the_standard_library(content: bytes) -> None:
    text = base64.urlsafe_b64encode(content).rstrip(b"=")
    assert encoded(content) == text
    assert decoded(text) == content


@given(st.integers(0, len(TOKEN) - 1), st.integers(1, 255))
@example(len(TOKEN) - 1, 1)  # the last two bits are of no byte
def test_a_changed_token_is_not_opened_to_anything_else(place: int, by: int) -> None:
    changed = bytearray(TOKEN.encode())
    changed[place] ^= by
    try:
        assert Cipher(KEY).decrypt(bytes(changed)) == CONTENT
    except Unreadable:
        return


@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_garbage_is_no_token_and_no_data_key(garbage: bytes) -> None:
    with pytest.raises(Unreadable):
        Cipher(KEY).decrypt(garbage)
    with pytest.raises(Unreadable):
        kid_of(garbage)


@pytest.mark.parametrize(
    "words",
    [
        {"alg": "dir", "enc": "A128GCM"},
        {"alg": "A256KW", "enc": "A256GCM"},
        {"alg": "dir", "enc": "A256GCM", "zip": "DEF"},
        {"alg": "dir", "enc": "A256GCM", "crit": ["x"]},
        {"alg": ["dir"], "enc": "A256GCM"},
        {},
    ],
)
def test_a_token_of_other_algorithms_is_not_opened(words: dict[str, Any]) -> None:
    header = encoded(json.dumps(words).encode())
    token = Cipher(KEY).encrypt(header, CONTENT)
    with pytest.raises(Unreadable, match="other algorithms"):
        Cipher(KEY).decrypt(token.encode())


def test_two_tokens_of_one_content_differ() -> None:
    assert Cipher(KEY).encrypt(Cipher.header("k"), CONTENT) != TOKEN


def test_a_data_key_is_opened_by_its_reader_alone() -> None:
    made = new_data_key(READER, DAY)
    wrapped = made.wrapped.encode()
    assert kid_of(wrapped) == READER.kid
    assert opened_data_key(wrapped, PRIVATE).decrypt(made.encrypt(CONTENT).encode()) == CONTENT
    assert made.left == MOST_USES - 1
    with pytest.raises(Unreadable, match="cannot be decrypted"):
        opened_data_key(wrapped, OTHER)
    assert "20260401-" in str(header_of(made.header))
    other = new_data_key(READER, DAY)
    with pytest.raises(Unreadable, match="of another key"):
        opened_data_key(wrapped, PRIVATE).decrypt(other.encrypt(CONTENT).encode())


@given(st.integers(0, len(WRAPPED) - 1), st.sampled_from("Aa0-_.!"))
def test_a_changed_data_key_is_not_opened_to_another(place: int, letter: str) -> None:
    changed = (WRAPPED[:place] + letter + WRAPPED[place + 1 :]).encode()
    try:
        kid_of(changed)
        cipher = opened_data_key(changed, PRIVATE)
    except Unreadable:
        return
    same = opened_data_key(WRAPPED.encode(), PRIVATE)
    header = Cipher.header("k")
    assert cipher.decrypt(same.encrypt(header, CONTENT).encode()) == CONTENT


def _with_header(changes: dict[str, Any]) -> bytes:
    first, *rest = WRAPPED.encode().split(b".")
    words = header_of(first) | changes
    return b".".join((encoded(json.dumps(words).encode()), *rest))


@pytest.mark.parametrize(
    "changes",
    [
        {"alg": "ECDH-ES"},
        {"alg": "RSA-OAEP"},
        {"enc": "A128GCM"},
        {"zip": "DEF"},
        {"p2c": 10_000_000},
        {"kid": 1},
    ],
)
def test_a_data_key_of_other_algorithms_is_not_opened(changes: dict[str, Any]) -> None:
    with pytest.raises(Unreadable, match="other algorithms"):
        kid_of(_with_header(changes))


@pytest.mark.parametrize(
    "epk",
    [
        "x",
        None,
        {},
        {"kty": "oct", "k": "AAAA"},
        {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"},
        {"kty": "EC", "crv": "P-999", "x": "AAAA", "y": "AAAA"},
        {"kty": "EC", "crv": "P-256", "x": 7, "y": []},
        ECKey.generate_key("P-384").as_dict(private=False),
        {**ECKey.import_key(OTHER.public_key()).as_dict(private=False), "crv": "P-384"},
    ],
)
def test_a_data_key_with_another_ephemeral_key_is_not_opened(epk: object) -> None:
    wrapped = _with_header({"epk": epk})
    assert kid_of(wrapped) == READER.kid
    with pytest.raises(Unreadable):
        opened_data_key(wrapped, PRIVATE)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=9),
        lambda s: (
            st.lists(s, max_size=2)
            | st.dictionaries(st.sampled_from(["kty", "crv", "x", "y", "d"]), s, max_size=4)
        ),
        max_leaves=6,
    )
)
def test_whatever_stands_for_an_ephemeral_key_gets_an_answer(epk: object) -> None:
    with pytest.raises(Unreadable):
        opened_data_key(_with_header({"epk": epk}), PRIVATE)


def test_a_data_key_of_another_length_is_not_taken() -> None:
    protected = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": READER.kid}
    wrapped = jwe.encrypt_compact(
        protected, b"k" * 31, ECKey.import_key(PRIVATE.public_key()), list(protected.values())[:2]
    ).encode()
    with pytest.raises(Unreadable, match="length"):
        opened_data_key(wrapped, PRIVATE)


def test_neither_key_shows_itself() -> None:
    made = new_data_key(READER, DAY)
    assert "wrapped" in repr(made)
    assert repr(Cipher(KEY)).startswith("<hub.sealing.jwe.Cipher object")
