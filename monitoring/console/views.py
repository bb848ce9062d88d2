"""Templates, and what they can call: words, times, static files. All that is shown is escaped."""

import datetime as dt
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension

from hub.clock import JST
from hub.disclosure.words import day as japanese_day
from monitoring.console.words import Language, Words

HERE = Path(__file__).parent
TEMPLATES, STATIC = HERE / "templates", HERE / "static"


class Views:
    """Makes pages of templates."""

    def __init__(self) -> None:
        extensions: list[str | type[Extension]] = []
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=extensions,
        )

    def render(self, template: str, words: Words, **values: object) -> str:
        """Give a page as text; a value that is missing is an error, never nothing.

        Raises:
            jinja2.UndefinedError: a template asks for what it was not given.
        """
        language = words.language
        return self._environment.get_template(template).render(
            t=words,
            lang=language,
            when=lambda at: when(at, language),
            day=lambda date: day(date, language),
            static=static_path,
            **values,
        )


def day(date: dt.date, language: Language) -> str:
    """Give a day as people write it; in Japanese with the era beside.

    >>> day(dt.date(2026, 11, 28), "ja")
    '令和8年11月28日（2026年11月28日）'
    >>> day(dt.date(2026, 11, 28), "en")
    '2026-11-28'
    """
    return japanese_day(date) if language == "ja" else date.isoformat()


def when(at: dt.datetime, language: Language) -> str:
    """Give a day and time in Japan, to the second."""
    there = at.astimezone(JST)
    return f"{day(there.date(), language)} {there:%H:%M:%S}"


@cache
def static_files() -> dict[str, bytes]:
    """Give the files that browsers get unchanged, by name."""
    return {path.name: path.read_bytes() for path in sorted(STATIC.iterdir()) if path.is_file()}


@cache
def static_digest() -> str:
    """Give what their address changes by, so that browsers may keep them."""
    digest = hashlib.sha256()
    for name, content in static_files().items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def static_path(name: str) -> str:
    """Give the address of a static file.

    Raises:
        KeyError: there is none of this name.
    """
    static_files()[name]
    return f"/static/{static_digest()}/{name}"
