"""What goes wrong with a call over HTTP: what may pass by itself, and what will not.

The texts say what a call was for and what happened to it, and nothing that was sent or answered.
"""

import ssl
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import httpx
from tenacity import RetryCallState
from tenacity.wait import wait_exponential_jitter

from hub.errors import EdgeError

LONGEST_WAIT_SECONDS = 5.0
"""The longest wait between two tries, whatever the server asks for."""

_TOO_MANY = 429
_SERVER_FAULT = 500
_DIGITS = 6
_REFUSALS = (
    "ALERT_BAD_CERT",
    "ALERT_CERTIFICATE",
    "ALERT_UNKNOWN_CA",
    "ALERT_HANDSHAKE_FAILURE",
    "CERTIFICATE_REQUIRED",
)
"""What OpenSSL's errors have in them where the server sent such an alert."""
_BACKOFF = wait_exponential_jitter(multiplier=0.2, max=LONGEST_WAIT_SECONDS, jitter=0.2)


class CallError(EdgeError):
    """A call failed; the text says which and why, and nothing of what was sent or answered."""


class Unavailable(CallError):
    """The server cannot be reached or is not well: the call may be made again later."""


class Declined(CallError):
    """The server answered with a status that the call does not expect; ``status`` is it."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class TooLarge(CallError):
    """The answer has more bytes than the call takes."""


class Passing(Exception):
    """A fault that may pass; ``pause`` is how many seconds the server asks to wait."""

    def __init__(self, reason: str, pause: float = 0.0) -> None:
        super().__init__(reason)
        self.pause = pause


def pause_before_next(state: RetryCallState) -> float:
    """Wait longer each time, with jitter, and as long as the server asks for within the limit."""
    asked = 0.0
    if state.outcome is not None and isinstance(error := state.outcome.exception(), Passing):
        asked = error.pause
    return max(_BACKOFF(state), min(asked, LONGEST_WAIT_SECONDS))


def judge(response: httpx.Response, purpose: str, accept: Collection[int]) -> None:
    """Take an answer with one of these statuses for one.

    Raises:
        Passing: the server is not well, or asked too often.
        CallError: it is no answer to this call.
    """
    status = response.status_code
    if status in accept:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise CallError(f"cannot {purpose}: the answer is compressed")
        return
    if status == _TOO_MANY or status >= _SERVER_FAULT:
        raise Passing(f"the server answered {status}", _asked_pause(response))
    raise Declined(f"cannot {purpose}: the server answered {status}", status)


def _asked_pause(response: httpx.Response) -> float:
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else 0.0


@contextmanager
def mapped(purpose: str) -> Iterator[None]:
    """Sort what httpx and time say into faults that may pass and those that will not."""
    try:
        yield
    except (TimeoutError, httpx.TimeoutException) as error:
        raise Passing("there was no answer in time") from error
    except (httpx.LocalProtocolError, httpx.UnsupportedProtocol) as error:
        raise CallError(f"cannot {purpose}: {type(error).__name__}") from error
    except (httpx.TransportError, ssl.SSLError) as error:  # httpx lets some of TLS's through
        if reason := _certificate_fault(error):
            raise CallError(f"cannot {purpose}: {reason}") from error
        kind = "cannot be reached" if isinstance(error, httpx.ConnectError) else "broke off"
        raise Passing(f"the server {kind}") from error


def _certificate_fault(error: BaseException | None) -> str:
    """Say whose certificate the other side does not take, if that is it: no time mends it."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return "the server's certificate is not trusted"
        if isinstance(error, ssl.SSLError) and any(one in str(error) for one in _REFUSALS):
            return "the server does not take this client's certificate, or wants one"
        error = error.__cause__ or error.__context__
    return ""
