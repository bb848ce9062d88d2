"""What was perhaps meant by a name that there is not."""

import difflib
from collections.abc import Iterable, Sequence

from pydantic import BaseModel


def near(word: str, known: Iterable[str]) -> str:
    """Give the known name that is nearest to a word, or nothing when none is near."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1)), "")


def near_key(path: Sequence[str | int], model: type[BaseModel]) -> str:
    """Give the key of a record that is nearest to the unknown one at the end of a path."""
    return near(str(path[-1]), _keys_beside(path, model))


def _keys_beside(path: Sequence[str | int], model: type[BaseModel]) -> list[str]:
    """Give the keys that may stand where an unknown one does, as far as the types tell."""
    here: type[BaseModel] | None = model
    for part in path[:-1]:
        if here is None or not isinstance(part, str) or part not in here.model_fields:
            continue
        here = _record_in(here.model_fields[part].annotation)
    return list(here.model_fields) if here is not None else []


def _record_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_record_in(part) for part in getattr(annotation, "__args__", ()))
    return next((record for record in inner if record is not None), None)
