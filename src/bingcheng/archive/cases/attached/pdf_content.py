"""What a page is drawn by, without what is never drawn: comments, words beside what is marked, unknown operators.

ISO 32000-1, 7.8.2 (content streams), 8.9.7 (pictures within them), 14.6 (marked content), annex A (operators).
"""

from __future__ import annotations

import re
from typing import Any

from pypdf.generic import (
    ArrayObject,
    BooleanObject,
    ByteStringObject,
    ContentStream,
    DecodedStreamObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    NullObject,
    NumberObject,
    PdfObject,
    TextStringObject,
)

from bingcheng.archive.cases.attached.jpeg import clean_jpeg
from bingcheng.archive.cases.attached.pdf_file import LARGEST_STRUCTURE, names, too_much
from bingcheng.archive.cases.attached.taken import Taken, refuse
from bingcheng.core.wording import text

# Annex A, without those that mark (14.6) and those that say what may be unknown (7.8.2).
_DRAW = frozenset(
    b"b B b* B* BT c cm cs CS d d0 d1 Do ET f F f* g G gs h i j J k K l m M n q Q re rg RG ri s S sc SC scn SCN sh"
    b" T* Tc Td TD Tf Tj TJ TL Tm Tr Ts Tw Tz v w W W* y ' \"".split()
)
_MARK = frozenset(b"BMC BDC EMC MP DP BX EX".split())
_WITH_STRING, _WITH_LIST = frozenset(b"Tj ' \"".split()), frozenset(b"TJ d".split())
_WITH_NAME = frozenset(b"cs CS Do gs ri scn SCN sh Tf".split())
_INLINE = b"INLINE IMAGE"
"""As pypdf calls BI, ID and EI together."""
# Tables 93 and 94, and 8 to 11 of how it is packed.
_OF_INLINE = names("""
    W Width H Height CS ColorSpace BPC BitsPerComponent IM ImageMask D Decode DP DecodeParms F Filter I Interpolate
    Intent
""")
_OF_PACKING = names("""
    Predictor Colors BitsPerComponent Columns EarlyChange K EndOfLine EncodedByteAlign Rows EndOfBlock BlackIs1
    DamagedRowsBeforeError ColorTransform
""")
_JPEG = names("DCT DCTDecode")
_PACKED = names("""
    Fl FlateDecode LZW LZWDecode RL RunLengthDecode CCF CCITTFaxDecode A85 ASCII85Decode AHx ASCIIHexDecode
""")

_SPACE, _NUMBER, _END = rb"[\x00\t\n\f\r ]", rb"[-+.0-9]", rb"(?![^\x00\t\n\f\r ()<>\[\]{}/%])"
_STRING = (
    rb"(?:\((?:[^()\\]++|\\.|\((?:[^()\\]++|\\.)*+\))*+\)|<(?:[0-9A-Fa-f]|" + _SPACE + rb")*+>)"  # one level of ( )
)
_STRING_OR_COMMENT = re.compile(_STRING + rb"|%[^\r\n]*+", re.DOTALL)
_PLAIN = re.compile(
    b"(?:%s)*+"
    % b"|".join(
        (
            _SPACE + b"++",
            _NUMBER + b"++",
            rb"/[!$&'*+,.0-9:;=?@A-Z\\^_`a-z|~\"-]*+",
            b"(?:%s)%s" % (b"|".join(map(re.escape, sorted((_DRAW | _MARK) - _WITH_STRING - {b"TJ"})[::-1])), _END),
            rb"%s%s*+(?:Tj|'|\")%s" % (_STRING, _SPACE, _END),
            rb"\[(?:%s|%s|%s)*+\]%s*+TJ%s" % (_SPACE, _NUMBER, _STRING, _SPACE, _END),
            rb"\[(?:%s|%s)*+\]" % (_SPACE, _NUMBER),
            rb"<<%s*+/MCID%s++[0-9]++%s*+>>" % (_SPACE, _SPACE, _SPACE),
        )
    ),
    re.DOTALL,
)
"""Drawing that hides nothing, and goes over as it is: no comment, strings only where they are shown, marks with nothing
but a number. Names of other than plain letters aren't in it: these are written anew wherever they stand."""


def without_comments(program: bytes) -> bytes:
    """A program in PostScript (a CMap, 9.7.5.4; a function of type 4, 7.10.5) without its comments."""
    return _STRING_OR_COMMENT.sub(lambda found: b"" if found[0].startswith(b"%") else found[0], program)


def clean_drawing(content: bytes) -> tuple[bytes, frozenset[Taken]]:
    """The same without what is never drawn, and what was taken out; unchanged where all is drawn.

    Raises
    ------
    InputError
        ``archive.attachment-not-cleaned``.
    """
    if _PLAIN.fullmatch(content):
        return content, frozenset()
    if len(content) > LARGEST_STRUCTURE:
        too_much()
    before = DecodedStreamObject()
    before.set_data(content)
    read, kept, taken = ContentStream(before, None, "bytes"), list[tuple[Any, bytes]](), set[Taken]()
    operations = read.operations
    for operands, operator in operations:
        if operator == _INLINE:
            kept.append((_inline(operands, taken), operator))
        elif operator in _DRAW:
            kept.append(([one for one in operands if _belongs(one, operator)], operator))
        elif operator not in _MARK or any(_tells(one) for one in operands):
            taken.add(Taken.HIDDEN)
    if not any(operator == _INLINE for _, operator in kept) and b"%" in re.sub(_STRING, b"", content, flags=re.DOTALL):
        taken.add(Taken.HIDDEN)
    read.operations = kept
    return read.get_data(), frozenset(taken)


def _belongs(operand: PdfObject, operator: bytes) -> bool:
    """Whether an operator reads an operand of this kind."""
    match operand:
        case NumberObject() | FloatObject():
            return True
        case NameObject():
            return operator in _WITH_NAME
        case ByteStringObject():
            return operator in _WITH_STRING
        case ArrayObject():
            within = (NumberObject, FloatObject, ByteStringObject) if operator == b"TJ" else (NumberObject, FloatObject)
            return operator in _WITH_LIST and all(isinstance(one, within) for one in operand)
        case _:
            return False


def _tells(operand: PdfObject) -> bool:
    """Whether what stands beside a mark says more than its name and number."""
    return not isinstance(operand, NameObject) and not (isinstance(operand, dict) and set(operand) <= {"/MCID"})


def _inline(picture: dict[str, Any], taken: set[Taken]) -> dict[str, Any]:
    """A picture that stands among the operators, without what it isn't drawn by."""
    about, data = picture["settings"], bytes(picture["data"])
    said = about.get("/F", about.get("/Filter"))
    filters = {str(one) for one in (said if isinstance(said, ArrayObject) else [said] if said is not None else [])}
    if filters & _JPEG:
        if len(filters) > 1:
            refuse(text("a part of it is packed in a way that isn't understood"))
        data, found = clean_jpeg(data, bare=True)
        taken |= found
    elif filters - _PACKED:
        refuse(text("a part of it is packed in a way that isn't understood"))
    kept = DictionaryObject({NameObject(key): _of_inline(one) for key, one in about.items() if key in _OF_INLINE})
    # Readers find its end by white space before EI (8.9.7).
    return {"settings": kept, "data": data if data[-1:].isspace() else data + b"\n"}


def _of_inline(value: Any) -> PdfObject:
    match value:
        case DictionaryObject():
            plain = (NumberObject, FloatObject, BooleanObject)
            kept = {key: one for key, one in value.items() if key in _OF_PACKING and isinstance(one, plain)}
            return DictionaryObject({NameObject(key): one for key, one in kept.items()})
        case ["/I" | "/Indexed", *said, ByteStringObject() | TextStringObject() as table]:
            return ArrayObject([value[0], *map(_of_inline, said), ByteStringObject(table.original_bytes)])
        case ArrayObject():
            return ArrayObject([_of_inline(one) for one in value])
        case NumberObject() | FloatObject() | BooleanObject() | NameObject():
            return value
        case _:
            return NullObject()
