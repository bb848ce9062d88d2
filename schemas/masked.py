"""Texts that never print: numbers that tell or unlock who a person is."""

from typing import Any, ClassVar, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


class Masked:
    """A text that shows only its mask.

    ``str``, ``repr`` and ``format`` give the mask, so that no log line, error, f-string or
    traceback can show the text. ``reveal`` gives it; only wire writers call it. Equality and
    hash are those of the text within one class. A subclass states its ``MASK``, the
    ``PATTERN`` and the mark for JSON Schema, and checks the text in ``_check``.

    Raises:
        ValueError: the text is not one of its kind; the message holds nothing of it.
    """

    __slots__ = ("_text",)
    MASK: ClassVar[str]
    PATTERN: ClassVar[str]
    MARK: ClassVar[str] = "x-masked"

    def __init__(self, text: str) -> None:
        self._check(text)
        self._text = text

    @classmethod
    def _check(cls, text: str) -> None:
        raise NotImplementedError

    def reveal(self) -> str:
        """Give the text, for the wire only."""
        return self._text

    def __repr__(self) -> str:
        return self.MASK

    def __str__(self) -> str:
        return self.MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Masked) and type(self) is type(other) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> tuple[type[Self], tuple[str]]:
        message = f"{self.MASK} is never pickled"
        raise TypeError(message)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: type[Any], _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        from_text = core_schema.no_info_after_validator_function(cls, core_schema.str_schema())
        return core_schema.json_or_python_schema(
            json_schema=from_text,
            python_schema=core_schema.union_schema(
                [core_schema.is_instance_schema(cls), from_text]
            ),
            serialization=core_schema.plain_serializer_function_ser_schema(
                cls.reveal, return_schema=core_schema.str_schema(), when_used="json"
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "pattern": cls.PATTERN, cls.MARK: True}
