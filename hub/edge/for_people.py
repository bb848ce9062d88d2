"""Texts of files that people open in a spreadsheet: none of them may be run as a formula.

Files for systems stay exact; these are lists for people, such as those of rejected records.
"""

import re
import unicodedata

_FORMULA = frozenset("=+-@")
_CONTROL = frozenset("\t\r\n")
_PLAIN_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
_UNSEEN = {"Cc", "Cf", "Zl", "Zp", "Zs"}


def neutral(text: str) -> str:
    """Give a text that a spreadsheet takes for a text, whatever somebody wrote into it.

    What a spreadsheet might take for a formula gets an apostrophe before it: a text that begins
    with ``= + - @``, also in a full-width form or after blanks and characters that are not seen.
    A plain number is none.

    >>> neutral("=1+1"), neutral("　＠SUM(A1)"), neutral("-500"), neutral("a=b")
    ("'=1+1", "'　＠SUM(A1)", '-500', 'a=b')
    """
    if _PLAIN_NUMBER.fullmatch(text):
        return text
    return f"'{text}" if _may_be_run(text) else text


def _may_be_run(text: str) -> bool:
    if text[:1] in _CONTROL:
        return True
    first = next((one for one in text if unicodedata.category(one) not in _UNSEEN), "")
    return unicodedata.normalize("NFKC", first)[:1] in _FORMULA
