"""What the JSON Schema of a message permits, as hypothesis draws it."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from schemas.canonical import CanonicalMessage
from schemas.dates import Precision
from schemas.numbers import (
    corporate_check_digit,
    municipality_check_digit,
    my_number_check_digit,
)
from schemas.values import PRINTABLE

Schema = Mapping[str, Any]
ANY = st.characters(exclude_categories=["Cs"])
LINES = st.characters(exclude_categories=["Cs", "Cc"])


def resolved(schema: Schema, definitions: Schema) -> Schema:
    """Follow a reference to a definition."""
    return definitions[schema["$ref"].rsplit("/", 1)[-1]] if "$ref" in schema else schema


def checked(pattern: str) -> st.SearchStrategy[str] | None:
    """Give texts with a right check digit, for the patterns of numbers that have one."""
    return {
        "^[0-9]{6}$": digits(5).map(lambda text: text + municipality_check_digit(text)),
        "^[0-9]{12}$": digits(11).map(lambda text: text + my_number_check_digit(text)),
        "^[0-9]{13}$": digits(12).map(lambda text: corporate_check_digit(text) + text),
    }.get(pattern)


def digits(count: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=count, max_size=count)


def texts(schema: Schema) -> st.SearchStrategy[str]:
    if schema.get("format") == "date":
        return st.dates().map(dt.date.isoformat)
    if schema.get("format") == "date-time":
        zones = st.integers(-12, 14).map(lambda hours: dt.timezone(dt.timedelta(hours=hours)))
        moments = st.datetimes(dt.datetime(1900, 1, 1), timezones=zones)  # noqa: DTZ001 - bounds
        return moments.map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)).map(
            dt.datetime.isoformat
        )
    pattern = schema.get("pattern")
    if pattern in {None, PRINTABLE}:
        return st.text(LINES if pattern else ANY, max_size=int(schema["maxLength"]))
    with_check_digit = checked(pattern)
    if with_check_digit is not None:
        return with_check_digit
    return st.from_regex(pattern.removesuffix("$") + r"\Z")


def register_dates() -> st.SearchStrategy[dict[str, str]]:
    raw = st.text(ANY, max_size=72)
    unknown = st.fixed_dictionaries({"raw": raw, "precision": st.just(Precision.UNKNOWN.value)})
    known = st.fixed_dictionaries(
        {
            "raw": raw,
            "precision": st.sampled_from(["day", "month", "year"]),
            "date": st.dates().map(dt.date.isoformat),
        }
    )
    return unknown | known


def values(schema: Schema, definitions: Schema) -> st.SearchStrategy[Any]:
    """Give the JSON values that a JSON Schema permits."""
    schema = resolved(schema, definitions)
    if schema.get("title") == "RegisterDate":
        return register_dates()
    if "anyOf" in schema:
        return st.one_of(
            [values(each, definitions) for each in schema["anyOf"] if each.get("type") != "null"]
        )
    if "const" in schema or "enum" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")]))
    if schema["type"] == "object":
        made = {name: values(each, definitions) for name, each in schema["properties"].items()}
        required = set(schema.get("required", ()))
        return st.fixed_dictionaries(
            {name: each for name, each in made.items() if name in required},
            optional={name: each for name, each in made.items() if name not in required},
        )
    if schema["type"] == "array":
        return st.lists(values(schema["items"], definitions), max_size=3)
    return scalars(schema)


def scalars(schema: Schema) -> st.SearchStrategy[Any]:
    match schema["type"]:
        case "string":
            return texts(schema)
        case "integer":
            return st.integers(schema["minimum"], schema["maximum"])
        case _:
            return st.booleans()


def documents(cls: type[CanonicalMessage]) -> st.SearchStrategy[dict[str, Any]]:
    schema = cls.model_json_schema()
    return values(schema, schema.get("$defs", {}))


def kept_together(message_type: str, data: dict[str, Any]) -> dict[str, Any]:
    """Make the fields agree that a class wants to agree."""
    match message_type:
        case "payment.received":
            if data["method"] == "transfer":
                data.setdefault("transfer_result", "done")
            else:
                data.pop("transfer_result", None)
            if data.get("transfer_result", "done") == "done":
                data.setdefault("amount", 1)
            else:
                data.pop("amount", None)
        case "collection.recorded":
            wanted: dict[str, dict[str, Any]] = {
                "cancellation": {"cancelled_number": "1"},
                "appropriation": {"to_levy_year": 2025, "to_instalment_number": 1},
            }
            here = wanted.get(data["collection_kind"], {})
            for name in ("cancelled_number", "to_levy_year", "to_instalment_number"):
                if name not in here:
                    data.pop(name, None)
            data = {**here, **data}
        case "deposit.found":
            data["outcome"] = "found" if data.get("accounts") else "none"
        case "inquiry.answered":
            if data.get("items"):
                data.pop("error", None)
    return data
