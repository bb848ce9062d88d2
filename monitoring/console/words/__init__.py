"""The words of the console, Japanese and English; pages have no text of their own.

Each module here has ``WORDS``. A text may have names in braces, which are filled in.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from hub.statute.reasons import Sentence

Language = Literal["ja", "en"]
LANGUAGES: tuple[Language, ...] = ("ja", "en")


def language_of(text: str) -> Language:
    """Give the language that a cookie or an account names; Japanese where it names none."""
    return "en" if text == "en" else "ja"


@cache
def every_word() -> Mapping[str, Sentence]:
    """Give all words by their keys.

    Raises:
        ValueError: two modules have the same key.
    """
    found: dict[str, Sentence] = {}
    for module in pkgutil.iter_modules(__path__):
        words: Mapping[str, Sentence] = importlib.import_module(f"{__name__}.{module.name}").WORDS
        if twice := found.keys() & words.keys():
            raise ValueError(f"words stand twice: {', '.join(sorted(twice))}")
        found.update(words)
    return found


@dataclass(frozen=True, slots=True)
class Words:
    """The words in one language."""

    language: Language

    def __call__(self, key: str, **values: object) -> str:
        """Give the text of a key.

        Raises:
            KeyError: there is no such key, or a value is missing.
        """
        return self.of(every_word()[key]).format(**values)

    def of(self, sentence: Sentence) -> str:
        """Give the text of a sentence, such as one of ``hub.statute.reasons``."""
        return sentence.en if self.language == "en" else sentence.ja
