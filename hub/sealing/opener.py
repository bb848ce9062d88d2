"""Opens sealed events: gives the very bytes that the sender would have written without a seal.

So whatever judges, compares and records events sees the same as ever, and two encryptions of one
message are one message. Only the keys' owner can do so, in memory.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pydantic_core

from hub.errors import KeyMissing, NumberFault
from hub.limits import limits
from hub.message import Copy
from hub.sealing.datakeys import kid_of, opened_data_key
from hub.sealing.fields import sealed_names, unbound
from hub.sealing.jwe import Cipher, Unreadable
from hub.sealing.keys import Keys
from hub.site import HUB_USER

NUMBER_UNREADABLE = "number-unreadable"
NUMBER_MISPLACED = "number-misplaced"
NUMBER_IN_CLEAR = "number-in-clear"
"""Why a 個人番号 is not taken: it cannot be opened, is another message's, or has no seal."""

CIPHERS_KEPT = 512
NEW_KEYS_A_MINUTE = 600
"""So many data keys of one sender are opened in a minute: each costs as much as a whole message."""

_DATAKEY_KEY = b'"datakey"'
_BEGIN = b'{"specversion":"1.0","datakey":"'
_WITHOUT = b'{"specversion":"1.0",'
_NAMES = tuple(sorted(sealed_names()))
_FIELDS = tuple((name.encode(), f'"{name}"'.encode()) for name in _NAMES)
_COLON = b':"'
_ESCAPE = b"\\u"
"""Begins a letter that is written in another way: with it a name may stand twice unseen."""
_ORIGINAL_PARTS = 2  # sender, id
_COPY_PARTS = 5  # hub, receiver, flow, sender, id
_MINUTE = 60.0


class Opened(NamedTuple):
    r"""An event without its seal.

    ``body`` is what its sender would have written without one, or what came where there was none,
    or where it cannot be opened: then it is not ``is_readable``. ``numbers`` says of each 個人番号
    which message it was sealed for, ``<sender>\n<id>``; empty where it was for another field.
    """

    body: bytes
    numbers: tuple[bytes, ...] = ()
    is_readable: bool = True


class Opener:
    """Opens what was sealed for one account."""

    def __init__(self, keys: Keys, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Open with these keys."""
        self._keys = keys
        self._monotonic = monotonic
        self._ciphers: OrderedDict[bytes, Cipher] = OrderedDict()
        self._shown: dict[str, deque[float]] = {}

    def opened(self, body: bytes, sender: str) -> Opened:
        """Open an event as a system sent it; every input gets an answer.

        ``sender`` is who shows it, as the broker proved: what is shown too often is not opened.
        """
        if _DATAKEY_KEY not in body or len(body) > limits().event_bytes:
            return Opened(body)
        try:
            return self._opened_in_place(body, sender) or self._opened_parsed(body, sender)
        except Unreadable:
            return Opened(body, is_readable=False)

    def _opened_in_place(self, body: bytes, sender: str) -> Opened | None:
        """Open one field where it stands in what our writers write; none where it takes a look.

        Else the whole event would be read and written once more, which costs as much as judging it.
        A quote within a text of JSON has a backslash before it, so that what begins after a comma
        or a brace is a name.
        """
        end = body.find(b'",', len(_BEGIN))
        if end < 0 or not body.startswith(_BEGIN) or _ESCAPE in body:
            return None
        if body.find(_DATAKEY_KEY, end) >= 0:
            return None
        field = _only_field(body, end)
        if field is None:
            return None
        name, begin = field
        close = body.find(b'"', begin)
        text = self._cipher(body[len(_BEGIN) : end], sender).decrypt(body[begin:close])
        whose, field_name, number = _unbound(text, _ORIGINAL_PARTS)
        if not number.isalnum() or not number.isascii():
            return None
        plain = b"".join((_WITHOUT, body[end + 2 : begin], number, body[close:]))
        return Opened(plain, (whose if field_name == name else b"",))

    def _opened_parsed(self, body: bytes, sender: str) -> Opened:
        try:
            event = pydantic_core.from_json(body, allow_inf_nan=False)
        except ValueError:
            return Opened(body)  # it is no event, and refused as that
        if not isinstance(event, dict) or not isinstance(event.get("datakey"), str):
            return Opened(body)
        datakey, data = event.pop("datakey").encode(), event.get("data")
        numbers: list[bytes] = []
        if isinstance(data, dict):
            for name in _NAMES:
                token = data.get(name)
                if isinstance(token, str) and "." in token:
                    text = self._cipher(datakey, sender).decrypt(token.encode())
                    whose, field, number = _unbound(text, _ORIGINAL_PARTS)
                    data[name] = _text(number)
                    numbers.append(whose if field == name.encode() else b"")
        return Opened(pydantic_core.to_json(event), tuple(numbers))

    def copy(self, copy: Copy) -> Copy:
        """Open a copy that the hub sent to this account.

        Raises:
            NumberFault: it cannot be opened, or belongs to another copy.
            KeyMissing: it is for a key of this account that is in force and not here, so that it
                could be opened later.
        """
        data: dict[str, Any] = dict(copy.data)
        whose = (HUB_USER, self._keys.account, copy.flow, *copy.key)
        due = "\n".join(whose).encode()
        for name in _NAMES:
            token = data.get(name)
            if copy.datakey is None or not isinstance(token, str) or "." not in token:
                continue
            try:
                text = self._cipher(copy.datakey.encode(), HUB_USER).decrypt(token.encode())
                found, field, number = _unbound(text, _COPY_PARTS)
                data[name] = _text(number)
            except Unreadable as error:
                kid = self.awaited(copy.datakey.encode())
                if kid:
                    raise KeyMissing(
                        f"the private encryption key {kid} is not here, and its certificate is in "
                        f"force: bring {kid}.key into {self._keys.account}/enc of the folder of "
                        "certificates, or, if it is lost, run renkei pki revoke for it"
                    ) from None
                raise NumberFault(NUMBER_UNREADABLE, f"{name}: {error}") from None
            if found != due or field != name.encode():
                raise NumberFault(NUMBER_MISPLACED, f"{name} was encrypted for another message")
        return copy.model_copy(update={"data": data, "datakey": None})

    def awaited(self, wrapped: bytes) -> str:
        """Name the key for which a data key is where that is in force, and only not here yet.

        Else it is empty: here it is, or nobody is to have it any more.
        """
        try:
            kid = kid_of(wrapped)
        except Unreadable:
            return ""
        return kid if self._keys.lacks(kid) else ""

    def _cipher(self, wrapped: bytes, sender: str) -> Cipher:
        cipher = self._ciphers.get(wrapped)
        if cipher is not None:
            self._ciphers.move_to_end(wrapped)
            return cipher
        own = self._keys.own(kid_of(wrapped))
        if own is None:
            raise Unreadable("a data key is for a key that is not here")
        self._count(sender)
        cipher = opened_data_key(wrapped, own)
        self._ciphers[wrapped] = cipher
        if len(self._ciphers) > CIPHERS_KEPT:
            self._ciphers.popitem(last=False)
        return cipher

    def _count(self, sender: str) -> None:
        """Note that a sender shows a new data key; refuse it where that was too many a minute."""
        now = self._monotonic()
        shown = self._shown.setdefault(sender, deque())
        while shown and now - shown[0] >= _MINUTE:
            shown.popleft()
        if len(shown) >= NEW_KEYS_A_MINUTE:
            raise Unreadable("its sender shows too many data keys")
        shown.append(now)


def _only_field(body: bytes, start: int) -> tuple[bytes, int] | None:
    """Find the one marked field: its name, and where its text begins; none where there are more."""
    found: tuple[bytes, int] | None = None
    for name, quoted in _FIELDS:
        times = body.count(quoted, start)
        if not times:
            continue
        place = body.find(quoted, start)
        after = place + len(quoted)
        is_usual = body[place - 1] in b",{" and body.startswith(_COLON, after)
        if times > 1 or found is not None or not is_usual:
            return None
        found = name, after + len(_COLON)
    return found


def clear_names(data: Mapping[str, Any]) -> list[str]:
    """Name the fields of a copy's data that hold a 個人番号 in clear."""
    return [name for name in _NAMES if (text := data.get(name)) and "." not in str(text)]


def _unbound(text: bytes, parts: int) -> tuple[bytes, bytes, bytes]:
    try:
        return unbound(text, parts)
    except ValueError:
        raise Unreadable("a token holds no number") from None


def _text(number: bytes) -> str:
    try:
        return number.decode()
    except UnicodeDecodeError:
        raise Unreadable("a token holds no text") from None
