"""Tells names of staff apart, however a keyboard wrote them."""

import unicodedata

_HYPHEN = "-"
_MINUS = "\N{MINUS SIGN}"
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164")
"""What Unicode has nobody see (Default_Ignorable_Code_Point), besides formats and selectors."""


def same_person(one: str, other: str) -> bool:
    """Say whether two names of staff are the same, however they were typed.

    >>> same_person("tanaka-t", " ＴＡＮＡＫＡ‐ｔ\u200b")
    True
    """
    return _plainly(one) == _plainly(other)


def is_somebody(staff: str) -> bool:
    """Say whether a name of staff has anything that can be seen."""
    return bool(_plainly(staff))


def _plainly(staff: str) -> str:
    """Write a name without what may be written in two ways: width, case, hyphens, spaces, nothing.

    What is not seen goes first and last: it keeps signs apart that are one, and folding makes some.
    """
    folded = _composed(_composed(_seen(staff)).casefold())
    return _composed(_seen(folded))


def _composed(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _seen(text: str) -> str:
    return "".join(_HYPHEN if _is_hyphen(one) else one for one in text if not _is_unseen(one))


def _is_hyphen(sign: str) -> bool:
    return sign == _MINUS or unicodedata.category(sign) == "Pd"


def _is_unseen(sign: str) -> bool:
    kind = unicodedata.category(sign)
    is_selector = kind == "Mn" and "VARIATION SELECTOR" in unicodedata.name(sign, "")
    return is_selector or kind in {"Cf", "Cc"} or sign.isspace() or sign in _FILLERS
