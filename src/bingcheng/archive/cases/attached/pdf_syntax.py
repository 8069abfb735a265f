"""The objects that a PDF is written in, read and written (ISO 32000-1, 7.2 and 7.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from bingcheng.archive.cases.attached.taken import refuse
from bingcheng.core.wording import text

DEEPEST = 60
_SPACE = re.compile(rb"(?:[\x00\t\n\f\r ]+|%[^\r\n]*)*")
_REGULAR = re.compile(rb"[^\x00\t\n\f\r ()<>\[\]{}/%]*")
_REFERENCE = re.compile(rb"(\d{1,10})[\x00\t\n\f\r ]+(\d{1,5})[\x00\t\n\f\r ]+R(?![^\x00\t\n\f\r ()<>\[\]{}/%])")
_INTEGER, _REAL = re.compile(rb"[+-]?\d{1,18}"), re.compile(rb"[+-]*(?:\d+\.?\d*|\.\d+)")
_ESCAPED_NAME = re.compile(rb"#([0-9A-Fa-f]{2})")
_PLAIN_NAME = re.compile(rb"[^!-~]|[#()<>\[\]{}/%]")
_STRING_PART = re.compile(rb"[^()\\]*")
_OCTAL = re.compile(rb"[0-7]{1,3}")
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


class Name(bytes):
    """A name, without its slash."""

    __slots__ = ()


class Real(bytes):
    """A number with a point, as it is written."""

    __slots__ = ()


class Word(bytes):
    """Any other word, such as ``endobj``."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference to an object."""

    number: int
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream: its dictionary, and its data as it is packed."""

    about: dict[Name, Value]
    data: bytes


Value = Name | Real | Word | Ref | Stream | bytes | bool | int | None | list["Value"] | dict[Name, "Value"]


class Reader:
    """Reads objects from a place on."""

    def __init__(self, content: bytes, at: int = 0) -> None:
        self.content = content
        self.at = at

    def value(self, depth: int = 0) -> Value:
        """The next object; a word where none begins.

        Raises
        ------
        InputError
            ``archive.attachment-not-cleaned``.
        """
        if depth > DEEPEST:
            damaged()
        self.skip()
        first = self.content[self.at : self.at + 1]
        match first:
            case b"/":
                return self._name()
            case b"(":
                return self._string()
            case b"[":
                return self._array(depth)
            case b"<":
                return self._dictionary(depth) if self.content[self.at + 1 : self.at + 2] == b"<" else self._hex()
            case _:
                return self._word()

    def skip(self) -> None:
        """Go past white space and comments."""
        found = _SPACE.match(self.content, self.at)
        self.at = found.end() if found else self.at

    def word(self, expected: bytes) -> bool:
        """Go past a word, if it is the next."""
        self.skip()
        if not self.content.startswith(expected, self.at):
            return False
        self.at += len(expected)
        return True

    def integer(self) -> int:
        """The next object, which must be a whole number.

        Raises
        ------
        InputError
            ``archive.attachment-not-cleaned``.
        """
        found = self._word()
        return found if isinstance(found, int) and not isinstance(found, bool) else damaged()

    def _regular(self) -> bytes:
        found = _REGULAR.match(self.content, self.at)
        if found is None:
            damaged()
        self.at = found.end()
        return found[0]

    def _name(self) -> Name:
        self.at += 1
        return Name(_ESCAPED_NAME.sub(lambda one: bytes((int(one[1], 16),)), self._regular()))

    def _word(self) -> Value:
        self.skip()
        reference = _REFERENCE.match(self.content, self.at)
        if reference is not None:
            self.at = reference.end()
            return Ref(int(reference[1]), int(reference[2]))
        found = self._regular()
        if not found:
            damaged()
        if _INTEGER.fullmatch(found):
            return int(found)
        if _REAL.fullmatch(found):
            return Real(found)
        return {b"true": True, b"false": False, b"null": None}.get(found, Word(found))

    def _array(self, depth: int) -> list[Value]:
        self.at += 1
        found: list[Value] = []
        while not self.word(b"]"):
            found.append(self._inner(depth))
        return found

    def _dictionary(self, depth: int) -> dict[Name, Value]:
        self.at += 2
        found: dict[Name, Value] = {}
        while not self.word(b">>"):
            key = self.value(depth + 1)
            if not isinstance(key, Name):
                damaged()
            found[key] = self._inner(depth)
        return found

    def _inner(self, depth: int) -> Value:
        found = self.value(depth + 1)
        return damaged() if isinstance(found, Word) else found

    def _hex(self) -> bytes:
        end = self.content.find(b">", self.at)
        try:
            digits = b"".join(self.content[self.at + 1 : end].split())
            self.at = end + 1
            return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii")) if end > 0 else damaged()
        except ValueError:
            damaged()

    def _string(self) -> bytes:
        self.at += 1
        found, open_brackets = bytearray(), 1
        while True:
            part = _STRING_PART.match(self.content, self.at)
            found += part[0] if part else b""
            self.at = part.end() if part else self.at
            mark, self.at = self.content[self.at : self.at + 1], self.at + 1
            if not mark:
                damaged()
            if mark == b"\\":
                found += self._escaped()
                continue
            open_brackets += 1 if mark == b"(" else -1
            if not open_brackets:
                return bytes(found)
            found += mark

    def _escaped(self) -> bytes:
        octal = _OCTAL.match(self.content, self.at)
        if octal:
            self.at = octal.end()
            return bytes((int(octal[0], 8) & 0xFF,))
        size = 2 if self.content.startswith(b"\r\n", self.at) else 1
        mark, self.at = self.content[self.at : self.at + size], self.at + size
        return b"" if mark in (b"\r\n", b"\r", b"\n") else _ESCAPES.get(mark, mark)


def written(value: Value) -> Iterator[bytes]:
    """An object as it is written, in pieces."""
    match value:
        case Stream():
            yield from written({**value.about, Name(b"Length"): len(value.data)})
            yield b"\nstream\n" + value.data + b"\nendstream"
        case list():
            yield b"["
            for one in value:
                yield from (*written(one), b" ")
            yield b"]"
        case dict():
            yield b"<<"
            for key, one in value.items():
                yield from (*written(key), b" ", *written(one), b"\n")
            yield b">>"
        case _:
            yield _written_simply(value)


def _written_simply(value: Name | Real | Word | Ref | bytes | bool | int | None) -> bytes:  # noqa: PLR0911 - one a kind
    match value:
        case None:
            return b"null"
        case bool():
            return b"true" if value else b"false"
        case int():
            return b"%d" % value
        case Ref():
            return b"%d %d R" % (value.number, value.generation)
        case Name():
            return b"/" + _PLAIN_NAME.sub(lambda one: b"#%02X" % one[0][0], value)
        case Real() | Word():
            return bytes(value)
        case _:
            return b"<" + value.hex().encode() + b">"


def damaged() -> NoReturn:
    """Refuse what can't be read.

    Raises
    ------
    InputError
        ``archive.attachment-not-cleaned``.
    """
    refuse(text("it is damaged"))
