"""The permitted-inquiry list (照会許可照会リスト): who may be asked what, as data."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from schemas.inquiry import (
    BusinessCode,
    InformationCode,
    InstitutionCode,
    ItemCode,
    ProcedureCode,
)

_FILE = "permitted-inquiries.toml"
_CODES = ("business_code", "procedure_code", "provider_code", "information_code")


class PermittedInquiry(BaseModel):
    """One line of the list: a body that may be asked for one kind of information.

    ``items`` are the codes of the items that its answer may have.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    business_code: BusinessCode
    procedure_code: ProcedureCode
    provider_code: InstitutionCode
    information_code: InformationCode
    items: Annotated[tuple[ItemCode, ...], Field(min_length=1)]


class _List(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    permitted: tuple[PermittedInquiry, ...]


@cache
def permitted_inquiries() -> tuple[PermittedInquiry, ...]:
    """Read the list.

    Raises:
        pydantic.ValidationError: the file is wrong.
    """
    text = (resources.files("schemas") / _FILE).read_text(encoding="utf-8")
    return _List.model_validate(tomllib.loads(text)).permitted


def permitted(codes: Mapping[str, str]) -> PermittedInquiry | None:
    """Give the line that permits an inquiry, by its codes; ``None`` where there is none."""
    wanted = [codes.get(name, "") for name in _CODES]
    lines = permitted_inquiries()
    return next((one for one in lines if [getattr(one, name) for name in _CODES] == wanted), None)
