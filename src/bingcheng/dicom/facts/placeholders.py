"""Words that stand in a header where an identity was taken out or never entered; they name nothing.

De-identification replaces a value that must not be empty by a dummy (PS3.15 E.1.1, action code D), and each program has
its own: ``ANONYMIZED``, ``REMOVED``, ``0000``, ``XXXX``. Taken for an identity, one dummy would make two hospitals one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

NOTHING_SAID = """
    anon anonym anonymous anonymized anonymised anonymize anonymise anonymisiert anonyme anonimo anonymity
    deidentified deid deidentify pseudonymized pseudonymised
    removed deleted redacted cleared erased hidden masked withheld scrubbed blanked
    none null nil na nan empty blank void unknown unnamed undefined unspecified undisclosed dummy placeholder
    unbekannt keine inconnu
    匿名 匿名化 已匿名 已匿名化 脱敏 已脱敏 去标识化 已去标识化 未知 不详 未填 无 空 已删除 已移除 已隐藏 隐藏
"""
NOTHING = frozenset(NOTHING_SAID.split())
"""Words that say by themselves that there is nothing."""
FILLING_SAID = """
    by ctp the value data field tag text information info for of dicom de identified not available applicable recorded
    hospital institution institute clinic center centre site department name
    device scanner station serial number no id model manufacturer
    医院 机构 单位 设备 序列号 名称
"""
FILLING = frozenset(FILLING_SAID.split())
"""Words that may stand beside one of `NOTHING` without making it a name: "Removed by CTP", "Unknown hospital"."""
PHRASES = frozenset(("notavailable", "notapplicable", "notrecorded", "deidentified", "noname", "noid", "novalue"))
WORD = re.compile(r"[^\W_]+")
"""Letters and digits; everything else parts words."""
FILLER_DIGITS = re.compile(r"0+|x{2,}", re.IGNORECASE)


def recorded(text: str | None) -> str | None:
    """`text` without outer blanks, or None if it is empty or a placeholder.

    A numbered pseudonym ("Anonymous Site 01", "ANON-3") tells one place from another and is kept.
    """
    if text is None:
        return None
    words = WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    return None if _says_nothing(words) else text.strip()


def setting(text: str | None) -> str | None:
    """A setting as `recorded` has it, among which "none" says something: that no filter was used."""
    return text if text is not None and text.strip().casefold() == "none" else recorded(text)


def settings(texts: Iterable[str]) -> tuple[str, ...]:
    """Those of several settings that aren't placeholders."""
    return tuple(said for said in map(setting, texts) if said is not None)


def _says_nothing(words: list[str]) -> bool:
    whole = "".join(words)
    if not words or whole in PHRASES or whole in NOTHING or FILLER_DIGITS.fullmatch(whole):
        return True
    return any(_empty(word) for word in words) and all(_empty(word) or word in FILLING for word in words)


def _empty(word: str) -> bool:
    # Chinese puts nothing between its words: 匿名医院, 未知设备.
    whole = word
    for filling in FILLING:
        if not filling.isascii():
            whole = whole.removesuffix(filling)
    return whole in NOTHING
