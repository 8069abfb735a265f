"""A file that may hang at a comment: told by its content, harmlessly named, with nothing in it but what it shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bingcheng.archive.cases.attached.jpeg import clean_jpeg
from bingcheng.archive.cases.attached.pdf import clean_pdf
from bingcheng.archive.cases.attached.png import clean_png
from bingcheng.archive.cases.attached.taken import Taken
from bingcheng.archive.cases.problems import WRONG_ATTACHMENT
from bingcheng.archive.codec import storable
from bingcheng.core.errors import InputError

LARGEST_MB, LONGEST_NAME = 10, 120
PNG, JPEG, PDF, PLAIN_TEXT = "image/png", "image/jpeg", "application/pdf", "text/plain"
ENDINGS = MappingProxyType({PNG: ".png", JPEG: ".jpg", PDF: ".pdf", PLAIN_TEXT: ".txt"})
"""Kinds of files, and how their names end."""
_BEGINS = ((b"\x89PNG\r\n\x1a\n", PNG), (b"\xff\xd8\xff", JPEG), (b"%PDF-", PDF))
_CLEAN: Mapping[str, Callable[[bytes], tuple[bytes, frozenset[Taken]]]] = MappingProxyType(
    {PNG: clean_png, JPEG: clean_jpeg, PDF: clean_pdf}
)
_UNSAFE_NAME = re.compile(r"[^\w.() -]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanFile:
    """A file that is fit to be kept; only `cleaned` makes one."""

    name: str
    kind: str
    content: bytes
    taken: frozenset[Taken]


def cleaned(name: str, content: bytes) -> CleanFile:
    """The file without what tells where it comes from and whose it is; what it shows stays as it was.

    Raises
    ------
    InputError
        ``archive.wrong-attachment``: of no kind that is known by its content, empty, or too large;
        ``archive.attachment-not-cleaned``.
    """
    kind = kind_of(content)
    if kind is None or len(content) > LARGEST_MB * 1_000_000:
        raise InputError(WRONG_ATTACHMENT, size_mb=LARGEST_MB)
    made, taken = _CLEAN[kind](content) if kind in _CLEAN else (content, frozenset[Taken]())
    return CleanFile(name=file_name(name, kind), kind=kind, content=made, taken=taken)


def kind_of(content: bytes) -> str | None:
    """The media type by content; None of anything else, whatever its name says. Text must be UTF-8 without markup."""
    for begins, kind in _BEGINS:
        if content.startswith(begins):
            return kind
    try:
        said = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    plain = said.strip() and not any(one < " " and one not in "\t\r\n" for one in said)
    return PLAIN_TEXT if plain and not said.lstrip("\ufeff \t\r\n").startswith("<") else None


def file_name(name: str, kind: str) -> str:
    """A harmless name that ends as the content's kind does."""
    clean = _UNSAFE_NAME.sub("_", storable(name).replace("\\", "/").rsplit("/", 1)[-1]).strip(". ")
    stem = clean.rsplit(".", 1)[0] if "." in clean else clean
    return f"{stem[:LONGEST_NAME] or 'file'}{ENDINGS[kind]}"
