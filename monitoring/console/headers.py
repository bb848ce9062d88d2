"""What a browser may do with an answer: nothing but show it, with our own style and scripts."""

from collections.abc import Mapping

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "require-trusted-types-for 'script'"
)
FOREVER = "public, max-age=31536000, immutable"
_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": with it a browser says of our own forms that they come from "null".
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def headers(*, tls: bool, static: bool) -> dict[str, str]:
    """Give the headers of an answer; only what is static is ever kept by a browser."""
    found = {**_HEADERS, "Cache-Control": FOREVER if static else "no-store"}
    if tls:
        found["Strict-Transport-Security"] = "max-age=31536000"
    return found
