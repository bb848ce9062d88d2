"""A request, read once: its address, its few headers that matter, and its form."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

MOST_BYTES = 65_536
MOST_FIELDS = 50
FORM = "application/x-www-form-urlencoded"


class FormError(ValueError):
    """A body is none of a form of ours."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a browser asks; no more of it than is used.

    ``origin`` and ``site`` are the headers ``Origin`` and ``Sec-Fetch-Site``; empty without.
    """

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[tuple[str, str], ...] = ()
    cookies: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    origin: str = ""
    site: str = ""


def form_of(body: bytes, content_type: str) -> tuple[tuple[str, str], ...]:
    """Read a form.

    Raises:
        FormError: it is of another kind, has too many fields, or is no UTF-8.
    """
    if not body:
        return ()
    if content_type.partition(";")[0].strip().lower() != FORM:
        raise FormError("the body is no form")
    try:
        found = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            max_num_fields=MOST_FIELDS,
            errors="strict",
        )
    except ValueError as error:
        raise FormError("the form cannot be read") from error
    return tuple(found)
