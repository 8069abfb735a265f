"""What a search query is made of: its words, signs and brackets, in English and in Chinese, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from bingcheng.archive.cases.terms import terms

AND = frozenset({"and", "with", "in", ",", "且", "并且", "而且", "和", "与", "，", "、"})
OR = frozenset({"or", "或", "或者"})
NOT = frozenset({"not", "非"})
LESION = "lesion"
NAMES = MappingProxyType(
    {
        "器官": "organ",
        "部位": "organ",
        "模态": "modality",
        "检查类型": "modality",
        "诊断": "diagnosis",
        "标签": "tag",
        "医院": "hospital",
        "标题": "title",
        "协议": "protocol",
        "方案": "protocol",
        "lesions": LESION,
        "病灶": LESION,
    }
)
"""What fields are also called."""
MODALITIES = MappingProxyType(
    {"ct": "CT", "mr": "MR", "mri": "MR", "pet": "PT", "pt": "PT", "磁共振": "MR", "核磁": "MR"}
)
"""Modalities (0008,0060) as people call them."""
CONFORM = MappingProxyType(
    {
        "conform": "pass",
        "not-conform": "fail",
        "unknown": "unknown",
        "符合": "pass",
        "不符合": "fail",
        "未知": "unknown",
    }
)
_MEANS = MappingProxyType(
    {
        "≥": ">=",
        "≤": "<=",
        "≠": "!=",
        "＞": ">",
        "＜": "<",
        "＝": "=",
        "大于": ">",
        "超过": ">",
        "小于": "<",
        "（": "(",
        "）": ")",
    }
)
_TOKEN = re.compile(
    r'\s*(?:(?P<quoted>"[^"]*"|“[^”]*”)|(?P<op>>=|<=|!=|[><=~≥≤≠＞＜＝]|大于|超过|小于)|(?P<mark>[()（）])'
    r"|(?P<word>[,，、]|[^\s\"“”()（）<>=!~≥≤≠＞＜＝,，、]+))"
)
# In Chinese no space stands between words: these are words wherever they stand, but for values.
_JOINED = re.compile(r"(不符合|符合|并且|而且|且|或者|大于|超过|小于|病灶(?!\.)|的)")
_NAMED = ("=", "!=", "~")


@dataclass(frozen=True, slots=True)
class Token:
    """One word (``word``, ``quoted``), sign (``op``), bracket (``mark``) or the ``end``; `position` counts from 1."""

    kind: str
    words: str
    position: int


def tokens(written: str) -> Iterator[Token | int]:
    """The tokens of a query, and its end; the place of what has no meaning, where there is such a thing."""
    at, last, length = 0, "", len(written.rstrip())
    while at < length:
        found = _TOKEN.match(written, at)
        if found is None or found.lastgroup is None:
            yield at + len(written[at:]) - len(written[at:].lstrip()) + 1
            return
        kind, words, begun = found.lastgroup, found[found.lastgroup], found.start(found.lastgroup) + 1
        if kind == "word" and last not in _NAMED:
            yield from _split(words, begun)
        else:
            yield Token(kind, f'"{words[1:-1]}"' if kind == "quoted" else _MEANS.get(words, words), begun)
        last, at = _MEANS.get(words, words), found.end()
    yield Token("end", "", length + 1)


def _split(words: str, begun: int) -> Iterator[Token]:
    """A run of letters as the words that it holds."""
    at = 0
    for part in _JOINED.split(words):
        sign = _MEANS.get(part)
        if sign is not None:
            yield Token("op", sign, begun + at)
        elif part and part != "的":
            yield Token("word", part, begun + at)
        at += len(part)


@cache
def organ_names() -> frozenset[str]:
    """All names of organs, without case."""
    return frozenset(name for one in terms() if one.kind == "organ" for name in one.names)
