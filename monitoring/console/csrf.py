"""That a form is ours: sent from our own page, by the session it was made for, once."""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from threading import Lock

from monitoring.console.asked import Asked

FIELD = "token"
_NONCE = 12
_KEPT = 20_000
"""So many tokens are remembered as used; a session has a rate limit and eight hours."""


def is_same_origin(asked: Asked, origin: str) -> bool:
    """Say whether a browser says that a page of ours sent this; one that says nothing does not."""
    if asked.site:
        return asked.site == "same-origin" and asked.origin in {"", origin}
    return asked.origin == origin


class Tokens:
    """Makes the tokens of forms, and takes each once."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._used: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()

    def token(self, session: str, path: str) -> str:
        """Give a token for a form that a session sends to an address."""
        nonce = secrets.token_urlsafe(_NONCE)
        return f"{nonce}.{self._seal(session, path, nonce)}"

    def takes(self, token: str, session: str, path: str) -> bool:
        """Take a token: say whether it is this session's, for this address, and not used yet."""
        nonce, _, seal = token.partition(".")
        expected = self._seal(session, path, nonce)
        if not hmac.compare_digest(seal.encode(), expected.encode()):
            return False
        with self._lock:
            if seal in self._used:
                return False
            self._used[seal] = None
            while len(self._used) > _KEPT:
                self._used.popitem(last=False)
        return True

    def _seal(self, session: str, path: str, nonce: str) -> str:
        text = f"{session}\0{path}\0{nonce}".encode("utf-8", "replace")
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()
