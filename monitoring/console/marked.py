"""Makes HTML of our own pages in Markdown. Pure.

What stands in a page as HTML is text. A link leads to another page that the console has; one to
anywhere else is its text, and so is a picture: the console answers without the internet.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.token import Token

Leads = Callable[[str], str | None]
"""Gives the address in the console of what a link leads to; none where the console has no such."""

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_JAPANESE = re.compile(r"[\u3041-\u30ff\u4e00-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]{2,}")


@dataclass(frozen=True, slots=True)
class Marked:
    """A page: its title as text, and the rest as HTML in which everything is escaped."""

    title: str
    html: str = field(repr=False)


def marked(text: str, leads: Leads) -> Marked:
    """Make HTML of a page; what is Japanese in it is marked so, the rest is English."""
    made = MarkdownIt("commonmark", {"html": False}).enable("table")
    made.add_render_rule("table_open", _table_open)
    made.add_render_rule("table_close", _table_close)
    tokens = made.parse(_COMMENT.sub("", text))
    title = ""
    if len(tokens) > 1 and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        title, tokens = _plain(tokens[1]), tokens[3:]
    _identify(tokens, title)
    _tell_languages(tokens)
    for one in tokens:
        if one.children:
            one.children = list(_within(one.children, leads))
    return Marked(title, made.renderer.render(tokens, made.options, {}))


def slug(heading: str) -> str:
    """Give the anchor of a heading, as links to it have it.

    >>> slug("What it means, and `why`")
    'what-it-means-and-why'
    """
    kept = (one for one in heading.lower() if one in " -_" or unicodedata.category(one)[0] in "LN")
    return "".join(kept).replace(" ", "-")


def _identify(tokens: Sequence[Token], title: str) -> None:
    """Give headings their anchors, and tables the name of the heading that they stand under."""
    name = title
    taken: dict[str, int] = {}
    for place, one in enumerate(tokens):
        if one.type == "heading_open":
            name = _plain(tokens[place + 1])
            anchor = slug(name)
            count = taken[anchor] = taken.get(anchor, -1) + 1
            one.attrSet("id", f"{anchor}-{count}" if count else anchor)
        elif one.type == "table_open":
            one.attrSet("aria-label", name)
        elif one.type in {"th_open", "td_open"}:
            one.attrs.pop("style", None)  # a browser takes no style from within a page


def _tell_languages(tokens: Sequence[Token]) -> None:
    """Mark each block that is Japanese: its own element, or the one that it is all of."""
    opened: list[Token] = []
    for one in tokens:
        if one.nesting == 1:
            opened.append(one)
        elif one.nesting == -1:
            opened.pop()
        elif one.type == "inline" and _is_japanese(_plain(one)):
            shown = next((each for each in reversed(opened) if not each.hidden), None)
            if shown is not None:
                shown.attrSet("lang", "ja")


def _is_japanese(text: str) -> bool:
    return len(_JAPANESE.findall(text)) > len(_LATIN.findall(text))


def _plain(inline: Token) -> str:
    return "".join(one.content for one in inline.children or ())


def _within(children: Sequence[Token], leads: Leads) -> Iterator[Token]:
    """Give the parts of a line, with such links and pictures as the console has."""
    is_kept = True
    for one in children:
        if one.type == "image":
            yield Token("text", "", 0, content=one.content)
        elif one.type == "link_open":
            address = leads(str(one.attrs.get("href", "")))
            is_kept = address is not None
            if address is not None:
                one.attrs = {"href": address}
                yield one
        elif one.type != "link_close" or is_kept:
            yield one


def _table_open(self: object, tokens: Sequence[Token], place: int, *_: object) -> str:  # noqa: ARG001
    name = escapeHtml(str(tokens[place].attrs["aria-label"]))
    return f'<div class="wide" tabindex="0" role="region" aria-label="{name}">\n<table>\n'


def _table_close(self: object, *_: object) -> str:  # noqa: ARG001 - as the renderer asks
    return "</table>\n</div>\n"
