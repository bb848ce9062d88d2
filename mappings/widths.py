"""Texts for wires that know one width of a character: the same characters, in that width.

Nothing else about a text changes, and what has no such width stays as it is, for the wire to
refuse. Only a bank's kana also lose what no bank's file has: small letters.
"""

import unicodedata

_KANA = [chr(point) for point in range(0xFF61, 0xFFA0)]
_MARKS = "ﾞﾟ"


def _wide_of(narrow: str) -> str:
    return unicodedata.normalize("NFKC", narrow)


_NARROW = {
    ord(_wide_of(one + mark)): one + mark
    for mark in ("", *_MARKS)
    for one in _KANA
    if len(_wide_of(one + mark)) == 1
} | {0x3000: " ", 0x309B: "ﾞ", 0x309C: "ﾟ"}
_SMALL = str.maketrans("ｧｨｩｪｫｬｭｮｯｰ", "ｱｲｳｴｵﾔﾕﾖﾂ-")
_WIDE = {point: point + 0xFEE0 for point in range(0x21, 0x7F)} | {0x20: 0x3000}
# Characters of JIS X 0208 that have two names in Unicode: the second is that of cp932.
_SAME = str.maketrans("−〜‖¢£¬", "－～∥￠￡￢")


def narrow_kana(text: str) -> str:
    """Write full-width katakana in half width, a voiced one as two characters.

    >>> narrow_kana("ガク　ハシ")
    'ｶﾞｸ ﾊｼ'
    """
    return text.translate(_NARROW)


def bank_kana(text: str) -> str:
    """Write katakana as banks do: half width, without small letters, a hyphen for a long vowel.

    >>> bank_kana("キョウコ")
    'ｷﾖｳｺ'
    """
    return narrow_kana(text).translate(_SMALL)


def wide(text: str) -> str:
    """Write ASCII in full width, and what has two names in Unicode by that of cp932.

    >>> wide("広坂1-1")
    '広坂１－１'
    """
    return text.translate(_WIDE).translate(_SAME)


def comparable(text: str) -> str:
    """Give what two writings of a name have in common; for comparing alone, it is never sent.

    >>> comparable("ｶﾞｸ ﾊｼ") == comparable("ガク　ハシ")
    True
    """
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()
