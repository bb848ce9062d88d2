"""A disclosure, or another paper, as one HTML page: no script, nothing from elsewhere."""

import unicodedata
from collections.abc import Iterator
from html import escape

from hub.disclosure import words
from hub.disclosure.content import (
    Block,
    Bullets,
    Code,
    Grid,
    Heading,
    Pairs,
    Paragraph,
    Text,
    Verbatim,
    blocks,
)
from hub.disclosure.model import Disclosure
from hub.disclosure.paper import Paper

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """\
:root { color-scheme: light; }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 60rem; color: #111; background: #fff;
  font: 1.0625rem/1.75 "BIZ UDPGothic", "Hiragino Sans", "Yu Gothic", Meiryo, "Noto Sans CJK JP",
  sans-serif; line-break: strict; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.4; margin: 0 0 .5rem; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .75rem; border-bottom: 2px solid #333; }
h3 { font-size: 1.125rem; margin: 2rem 0 .5rem; }
.city { margin: 0 0 1rem; text-align: right; }
table { width: 100%; margin: 1rem 0; border-collapse: collapse; }
caption { text-align: left; font-weight: bold; padding: .25rem 0; }
th, td { border: 1px solid #555; padding: .375rem .5rem; text-align: left; vertical-align: top; }
th { background: #eee; font-weight: bold; }
.pairs th { width: 11em; }
.grid { table-layout: fixed; line-height: 1.5; }
.grid tbody th { background: none; font-weight: normal; }
code, pre { font-family: "BIZ UDGothic", Consolas, "Noto Sans Mono CJK JP", monospace; }
code { background: #f2f2f2; padding: 0 .2em; }
pre { border: 1px solid #555; padding: .75rem; white-space: pre-wrap; overflow-wrap: anywhere; }
@page { size: A4; margin: 16mm 14mm 18mm;
  @bottom-center { content: counter(page) " / " counter(pages) " ページ"; font-size: 10pt; } }
@media print {
  body { font-size: 11pt; line-height: 1.6; max-width: none; padding: 0; }
  .grid { font-size: 10pt; }
  .grid th, .grid td { padding: .25rem; }
  .pairs { break-inside: avoid; }
  h2, h3, caption { break-after: avoid; }
  tr { break-inside: avoid; }
  thead { display: table-header-group; break-after: avoid; }
}
"""
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


def render(of: Disclosure) -> bytes:
    """Write a disclosure as a page in UTF-8; the same disclosure gives the same bytes."""
    return page(Paper(words.TITLE, of.city, of.office, "", of.made_at, tuple(blocks(of))))


def page(paper: Paper) -> bytes:
    """Write a paper as a page in UTF-8; the same paper gives the same bytes."""
    return "\n".join([*_lines(paper), ""]).encode()


def _lines(of: Paper) -> Iterator[str]:
    title = _shown(of.title)
    yield "<!DOCTYPE html>"
    yield '<html lang="ja">'
    yield '<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="robots" content="noindex">'
    yield f"<title>{title}</title>"
    yield f"<style>\n{_STYLE}</style>\n</head>"
    yield "<body>\n<main>"
    yield f"<h1>{title}</h1>"
    yield f'<p class="city">{_shown(of.city)}<br>{_shown(of.office)}</p>'
    for block in of.blocks:
        yield from _block(block)
    yield "</main>\n</body>\n</html>"


def _block(block: Block) -> Iterator[str]:
    match block:
        case Heading(text, level):
            yield f"<h{level}>{_shown(text)}</h{level}>"
        case Paragraph(text):
            yield f"<p>{_shown(text)}</p>"
        case Bullets(items):
            yield "<ul>"
            yield from (f"<li>{_shown(item)}</li>" for item in items)
            yield "</ul>"
        case Verbatim(text):
            yield f"<pre>{_plain(text)}</pre>"
        case Pairs():
            yield from _pairs(block)
        case Grid():
            yield from _grid(block)


def _pairs(table: Pairs) -> Iterator[str]:
    yield f'<table class="pairs">\n<caption>{_shown(table.caption)}</caption>\n<tbody>'
    for head, text in table.rows:
        yield f'<tr><th scope="row">{_shown(head)}</th><td>{_text(text)}</td></tr>'
    yield "</tbody>\n</table>"


def _grid(table: Grid) -> Iterator[str]:
    yield f'<table class="grid">\n<caption>{_shown(table.caption)}</caption>\n<colgroup>'
    yield from (f'<col style="width: {column.share}%">' for column in table.columns)
    yield "</colgroup>\n<thead>"
    heads = "".join(f'<th scope="col">{_shown(column.head)}</th>' for column in table.columns)
    yield f"<tr>{heads}</tr>\n</thead>\n<tbody>"
    for first, *others in table.rows:
        cells = "".join(f"<td>{_text(cell)}</td>" for cell in others)
        yield f'<tr><th scope="row">{_text(first)}</th>{cells}</tr>'
    yield "</tbody>\n</table>"


def _text(text: Text) -> str:
    return "".join(
        f"<code>{_shown(piece)}</code>" if isinstance(piece, Code) else _shown(piece)
        for piece in text
    )


def _shown(text: str) -> str:
    return _plain(text).replace("\n", "<br>")


def _plain(text: str) -> str:
    return escape("".join(_visible(one) for one in text) if _has_unseen(text) else text)


def _has_unseen(text: str) -> bool:
    return not text.isprintable() and any(_is_unseen(one) for one in text)


def _visible(character: str) -> str:
    """Give a character, or its code point where a page cannot hold it or would obey it."""
    return f"〓（U+{ord(character):04X}）" if _is_unseen(character) else character


def _is_unseen(character: str) -> bool:
    if character == "\n":
        return False
    return character in _BIDI or unicodedata.category(character) in {"Cc", "Cs", "Cn", "Co"}
