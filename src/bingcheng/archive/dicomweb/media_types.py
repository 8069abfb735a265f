"""What a client accepts and which of the things on offer it gets (PS3.18 8.7.5 to 8.7.8; RFC 9110 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from bingcheng.archive.dicomweb.problems import BAD_ACCEPT, NOT_ACCEPTABLE
from bingcheng.core.errors import InputError, RefusedError

MULTIPART = "multipart/related"
DICOM = "application/dicom"
DICOM_JSON = "application/dicom+json"
DICOM_XML = "application/dicom+xml"
JSON = "application/json"
OCTETS = "application/octet-stream"
ZIP = "application/zip"

LONGEST = 4096
"""Characters of an Accept field that are read; none of a real client is longer."""

_PART = r'(?:[^",;]|"(?:[^"\\]|\\.)*")'
_RANGE = re.compile(rf"\s*({_PART}*(?:;{_PART}*)*)\s*(?:,|$)")
_PARAMETER = re.compile(rf"({_PART}*)(?:;|$)")
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TYPE = re.compile(rf"{_WORD}/{_WORD}")
_NAME = re.compile(_WORD)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaType:
    """A media type with its parameters, or a range of them as Accept names it.

    Parameters
    ----------
    kind : ``type/subtype`` in lower case; either may be ``*``.
    parameters : names in lower case; quotes are taken off the values.
    quality : how much it is wanted, 0 (not at all) to 1.
    otherwise : only looked at where nothing else can be given: of the header, where the address names types too.
    """

    kind: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    quality: float = 1.0
    otherwise: bool = False

    @property
    def inner(self) -> str:
        """Of a multipart type, the type of its parts; ``*/*`` where it does not say."""
        return self.parameters.get("type", "*/*").lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One way in which the server can answer.

    Parameters
    ----------
    kind : media type of the body, or of each part where `multipart`.
    multipart : whether it comes as ``multipart/related``.
    syntax : UID of the transfer syntax; None where the type has none.
    implied : whether a client that names the type but no transfer syntax means this one (PS3.18 8.7.3.5.2).
    says : the media type that is written above the part; `kind` unless given.
    """

    kind: str
    multipart: bool = False
    syntax: str | None = None
    implied: bool = True
    says: str | None = None

    @property
    def content_type(self) -> str:
        """The part's or the body's media type, with its transfer syntax."""
        kind = self.says or self.kind
        return kind if self.syntax is None else f"{kind}; transfer-syntax={self.syntax}"

    def __str__(self) -> str:
        inner = self.kind if self.syntax is None else f"{self.kind}; transfer-syntax={self.syntax}"
        return f'{MULTIPART}; type="{self.kind}"' + inner.removeprefix(self.kind) if self.multipart else inner


def media_type(written: str) -> MediaType:
    """The media type that a header field names.

    Raises
    ------
    InputError
        ``archive.bad-accept``.
    """
    # Of hundreds of objects that are sent, each with its part, all say the same.
    return _media_type(written) if len(written) <= LONGEST else _media_type.__wrapped__(written)


@lru_cache(maxsize=256)
def _media_type(written: str) -> MediaType:
    kind, *rest = (match.group(1).strip() for match in _PARAMETER.finditer(written))
    kind = "*/*" if kind == "*" else kind.lower()  # some Java clients write a lone star
    if not _TYPE.fullmatch(kind):
        raise InputError(BAD_ACCEPT)
    parameters: dict[str, str] = {}
    quality = 1.0
    for one in rest:
        if not one:
            continue
        name, equals, value = (part.strip() for part in one.partition("="))
        name = name.lower()
        if not equals or not _NAME.fullmatch(name):
            raise InputError(BAD_ACCEPT)
        if name == "q":
            quality = _quality(value)
        else:
            parameters.setdefault(name, _unquoted(value))
    return MediaType(kind=kind, parameters=parameters, quality=quality)


def accepted(header: str | None, parameter: str | None = None) -> tuple[MediaType, ...]:
    """The ranges of the query parameter ``accept``, and after them those of the Accept field (PS3.18 8.7.8.1).

    What can't be read of a field is as if it were not there (8.7.7); of a parameter it is an error (8.3). A request
    that says nothing accepts anything (RFC 9110 12.5.1; PS3.18 8.7.5 would have it refused).

    Raises
    ------
    InputError
        ``archive.bad-accept``.
    """
    # A viewer says the same with each of its hundreds of requests.
    return _accepted(None if header is None else header[:LONGEST], parameter)


@lru_cache(maxsize=256)
def _accepted(header: str | None, parameter: str | None) -> tuple[MediaType, ...]:
    # A plus in an address stands for a space; media types have none.
    asked = tuple(_ranges(parameter.replace("dicom ", "dicom+"))) if parameter else ()
    if header is None or not header.strip():
        return asked or (MediaType(kind="*/*"),)
    found: list[MediaType] = []
    for one in _listed(header):
        try:
            found.append(media_type(one))
        except InputError:
            continue
    return (*asked, *(replace(one, otherwise=True) for one in found)) if asked else tuple(found)


def _ranges(written: str) -> Iterator[MediaType]:
    if len(written) > LONGEST:
        raise InputError(BAD_ACCEPT)
    at = 0
    while at < len(written):
        match = _RANGE.match(written, at)
        if match is None:
            raise InputError(BAD_ACCEPT)
        if match.group(1).strip():
            yield media_type(match.group(1).strip())
        at = match.end()


def _listed(written: str) -> Iterator[str]:
    """The members of a list, one by one; after what can't be taken apart, from the next comma on."""
    at = 0
    while at < len(written):
        match = _RANGE.match(written, at)
        if match is None:
            comma = written.find(",", at)
            at = len(written) if comma < 0 else comma + 1
            continue
        if match.group(1).strip():
            yield match.group(1).strip()
        at = match.end()


def chosen(ranges: Sequence[MediaType], offers: Sequence[Offer]) -> Offer:
    """The offer that the client wants most; among equals what it names first, then what we name first.

    Raises
    ------
    RefusedError
        ``archive.not-acceptable``.
    """
    for wanted in ([one for one in ranges if not one.otherwise], [one for one in ranges if one.otherwise]):
        found = _most_wanted(wanted, offers)
        if found is not None:
            return found
    raise RefusedError(NOT_ACCEPTABLE, offered=", ".join(dict.fromkeys(map(str, offers))))


def _most_wanted(ranges: Sequence[MediaType], offers: Sequence[Offer]) -> Offer | None:
    best: tuple[float, int, int] | None = None
    found: Offer | None = None
    for place, offer in enumerate(offers):
        fit = _best_fit(ranges, offer)
        if fit is not None and fit[0] > 0 and (best is None or (-fit[0], fit[1], place) < best):
            best, found = (-fit[0], fit[1], place), offer
    return found


def _best_fit(ranges: Sequence[MediaType], offer: Offer) -> tuple[float, int] | None:
    """Quality and place of the most specific range that covers the offer (RFC 9110 12.5.1)."""
    fits = [(_specificity(one), -place) for place, one in enumerate(ranges) if _covers(one, offer)]
    if not fits:
        return None
    place = -max(fits)[1]
    return ranges[place].quality, place


def _specificity(one: MediaType) -> tuple[int, int]:
    concrete = [kind for kind in (one.kind, one.parameters.get("type", "*/*")) if not kind.endswith("*")]
    return len(concrete) + (one.kind != "*/*"), len(one.parameters)


def _covers(one: MediaType, offer: Offer) -> bool:
    if one.kind == "*/*":
        return True
    if offer.multipart:
        if one.kind not in (MULTIPART, "multipart/*"):
            return False
        kind = one.inner
    else:
        kind = one.kind
    return _matches(kind, offer.kind) and _syntax_fits(one, offer, named=not kind.endswith("*"))


def _matches(pattern: str, kind: str) -> bool:
    return pattern in ("*/*", kind) or (pattern.endswith("/*") and kind.startswith(pattern[:-1]))


def _syntax_fits(one: MediaType, offer: Offer, *, named: bool) -> bool:
    wanted = one.parameters.get("transfer-syntax")
    if offer.syntax is None or wanted == "*":
        return True
    if wanted is None:
        return offer.implied or not named
    return wanted == offer.syntax


def _quality(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        raise InputError(BAD_ACCEPT) from None
    if not 0 <= number <= 1:
        raise InputError(BAD_ACCEPT)
    return number


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value
