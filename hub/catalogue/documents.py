"""Every committed document of a catalogue, by its file name; the same catalogue gives the same.

The documents show the newest day on which anything in the catalogue begins, not today.
"""

import json
from collections.abc import Mapping
from typing import Any

from hub.catalogue import markdown, svg
from hub.catalogue.asyncapi import asyncapi
from hub.catalogue.message_schemas import schema_files
from hub.catalogue.view import Language, newest_day, view
from hub.statute.model import Catalogue

_LANGUAGES: tuple[Language, ...] = ("ja", "en")
_README = """\
# The catalogue, for people and programs

Written by `renkei docs` from `routes/` and `schemas/`; `make test` fails where it is out of date.
Do not edit.

- [flows.ja.md](flows.ja.md), [flows.en.md](flows.en.md): every flow with its basis, fields and
  persons, in Japanese and in English
- [flows.ja.svg](flows.ja.svg), [flows.en.svg](flows.en.svg): the picture
- [asyncapi.json](asyncapi.json): AsyncAPI 3.0; what each connected system publishes and reads
- `schemas/`: JSON Schemas of the message types; `hub.copy` is what a receiver gets, `hub.receipt`
  what it answers, `hub.notice` what the hub did not take; `x-my-number` marks a 個人番号, which is
  encrypted on the wire ([how](../adr/0022-numbers-under-seal.md))
"""


def documents(catalogue: Catalogue, version: str) -> dict[str, str]:
    """Give the text of every document by its path below the folder of the documents."""
    day = newest_day(catalogue)
    shown = view(catalogue, day)
    texts = {"README.md": _README}
    for language in _LANGUAGES:
        picture = f"flows.{language}.svg"
        texts[picture] = svg.svg(shown, language)
        texts[f"flows.{language}.md"] = markdown.page(shown, language, picture)
    texts["asyncapi.json"] = _json(asyncapi(catalogue, day, version))
    for name, schema in schema_files(catalogue).items():
        texts[f"schemas/{name}.json"] = _json(schema)
    return texts


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
