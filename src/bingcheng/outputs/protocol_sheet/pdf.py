"""The sheet for the console as PDF, A4, with the same content as the page.

Latin letters stand in Helvetica, which every reader of PDF has, Chinese ones in STSong-Light, which it knows by name
(Adobe's Asian font packs), so that no font file is shipped; what is in neither stands in Symbol.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from io import BytesIO
from itertools import groupby
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import getRegisteredFontNames, registerFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, KeepTogether, PageTemplate, Paragraph, Spacer, Table

import bingcheng
from bingcheng.core.finding import Level
from bingcheng.core.wording import Text, text
from bingcheng.outputs.language import Language
from bingcheng.outputs.protocol_sheet.content import Content, Line, Section, content_of
from bingcheng.protocol.model import Protocol

LATIN, LATIN_BOLD, SYMBOLS, CHINESE = "Helvetica", "Helvetica-Bold", "Symbol", "STSong-Light"
INK, QUIET, RULE = HexColor(0x14181C), HexColor(0x4D565E), HexColor(0xB9C0C6)
MARGIN, BOTTOM = 12 * mm, 16 * mm
WIDTH = A4[0] - 2 * MARGIN
COLUMNS = (7 * mm, 47 * mm, 45 * mm, 26 * mm, WIDTH - 125 * mm)
IN_SYMBOL = frozenset("−≤≥→←∞≈≠αβγδσ∆Ω∙√")
SUPERSCRIPTS = str.maketrans("⁻⁰⁴⁵⁶⁷⁸⁹", "−0456789")
RAISED = frozenset("⁻⁰⁴⁵⁶⁷⁸⁹")
"""Superscripts that Latin-1 lacks: they are written as raised digits."""


def pdf_sheet(protocol: Protocol, language: Language, *, on: date) -> bytes:
    """The sheet of `protocol` as a PDF; the same bytes for the same sheet. `on` is the day that is printed on it."""
    if CHINESE not in getRegisteredFontNames():
        registerFont(UnicodeCIDFont(CHINESE))
    content, page = content_of(protocol), _Page(language)
    printed = text(
        "Printed on {day} with Bingcheng {version}. Research software, not a medical device.",
        day=language.date(on),
        version=bingcheng.__version__,
    )
    stream = BytesIO()
    document = BaseDocTemplate(
        stream,
        pagesize=A4,
        title=language.say(protocol.title),
        author="Bingcheng",
        lang=language.tag,
        invariant=1,
    )
    frame = Frame(MARGIN, BOTTOM, WIDTH, A4[1] - MARGIN - BOTTOM, 0, 0, 0, 0)

    def foot(canvas: Canvas, _: BaseDocTemplate) -> None:
        said = page.paragraph(printed, "foot")
        number = page.paragraph(text("Page {page}", page=canvas.getPageNumber()), "foot right")
        for one, width, left in ((said, WIDTH - 25 * mm, MARGIN), (number, 25 * mm, MARGIN + WIDTH - 25 * mm)):
            one.wrapOn(canvas, width, BOTTOM)
            one.drawOn(canvas, left, BOTTOM - 7 * mm)

    document.addPageTemplates(PageTemplate(frames=[frame], onPage=foot))
    document.build([*page.head(content), *page.sections(content), *page.sources(content), page.signatures()])
    return stream.getvalue()


class _Page:
    """The parts of the sheet in the words of one language."""

    def __init__(self, language: Language) -> None:
        self.say = language.say
        self.styles = _styles(chinese=language.code == "zh")

    def paragraph(self, said: Text | str, style: str) -> Paragraph:
        """A sentence in a style; it is translated and escaped."""
        bold = self.styles[style].fontName == LATIN_BOLD
        return Paragraph(_in_fonts(self.say(said), LATIN_BOLD if bold else LATIN), self.styles[style])

    def head(self, content: Content) -> Iterator[Flowable]:
        protocol = content.protocol
        kicker = f"{self.say(content.kind)} · {protocol.id}"
        version = text("Version {version}", version=protocol.version)
        yield Table([[self.paragraph(kicker, "small"), self.paragraph(version, "small right")]], style=[*_TIGHT])
        yield self.paragraph(protocol.title, "title")
        yield self.paragraph(protocol.intent, "body")
        if content.applies:
            yield self.paragraph(f"{self.say(text('For exams with'))} {self._listed(content.applies)}", "small")
        if protocol.note:
            yield self.paragraph(protocol.note, "small")
        yield Table([[""]], colWidths=[WIDTH], rowHeights=[2 * mm], style=[("LINEBELOW", (0, 0), (-1, -1), 2, INK)])

    def sections(self, content: Content) -> Iterator[Flowable]:
        for section in content.sections:
            heading = [self._heading(section)]
            if section.told_by:
                told = f"{self.say(text('Recognised by'))} {self._listed(section.told_by)}"
                heading.append(self.paragraph(told, "small"))
            if not section.lines:
                nothing = self.paragraph(text("Nothing more is asked of this series."), "small")
                yield KeepTogether([*heading, nothing])
                continue
            # A heading never stands alone at the foot of a page: it goes with the first line.
            yield KeepTogether([*heading, self._table(section.lines[:1], heads=True)])
            if len(section.lines) > 1:
                yield self._table(section.lines[1:], heads=False)

    def sources(self, content: Content) -> Iterator[Flowable]:
        yield Spacer(1, 5 * mm)
        yield self.paragraph(text("Sources"), "heading")
        for number, source in content.sources:
            where = f", {source.locator}" if source.locator else ""
            yield self.paragraph(f"[{number}] {source.citation}{where}", "small")
        if content.unchecked:
            unchecked = self.say(text("This limit has not been checked in its source. It is shown, and never decides."))
            yield self.paragraph(f"† {unchecked}", "small")

    def signatures(self) -> Flowable:
        words = [self.paragraph(one, "small") for one in (text("Agreed by"), text("Scanner"), text("Date"))]
        above = [("LINEABOVE", (n, 0), (n, 0), 0.8, INK) for n in (0, 2, 4)]
        row = [words[0], "", words[1], "", words[2]]
        widths = [66 * mm, 6 * mm, 66 * mm, 6 * mm, WIDTH - 144 * mm]
        return KeepTogether([Spacer(1, 14 * mm), Table([row], colWidths=widths, style=[*_TIGHT, *above])])

    def _heading(self, section: Section) -> Flowable:
        title = self.paragraph(section.title, "heading")
        if section.level is None:
            return Table([[title]], colWidths=[WIDTH], style=[*_TIGHT, ("TOPPADDING", (0, 0), (-1, -1), 5 * mm)])
        style = [*_TIGHT, ("VALIGN", (0, 0), (-1, -1), "BOTTOM"), ("TOPPADDING", (0, 0), (-1, -1), 5 * mm)]
        return Table([[title, self._weight(section.level)]], colWidths=[WIDTH - 26 * mm, 26 * mm], style=style)

    def _table(self, lines: Iterable[Line], *, heads: bool) -> Table:
        rows: list[list[object]] = []
        if heads:
            names = (text("What"), text("Agreed"), text("Weight"), text("If it is not met"))
            rows.append(["", *(self.paragraph(one, "column") for one in names)])
        rows += [[_tick(), self._what(one), self._agreed(one), self._weighs(one), self._unmet(one)] for one in lines]
        style = [*_CELLS, ("LINEBELOW", (0, 0), (-1, 0), 0.8, INK)] if heads else _CELLS
        return Table(rows, colWidths=COLUMNS, style=style)

    def _what(self, line: Line) -> list[Flowable]:
        found = [self.paragraph(line.title, "bold")]
        if self.say(line.what).casefold() != self.say(line.title).casefold():
            found.append(self.paragraph(line.what, "small"))
        return [*found, *(self.paragraph(f"· {self.say(role)}", "small") for role in line.roles)]

    def _agreed(self, line: Line) -> list[Flowable]:
        found = []
        for vendor, limit in line.limits:
            named = f'<font size="8.5" name="{LATIN}">{_in_fonts(vendor, LATIN)}</font> ' if vendor else ""
            found.append(Paragraph(named + _in_fonts(self.say(limit), LATIN_BOLD), self.styles["value"]))
        conditions = (text("only where: {condition}", condition=one) for one in line.conditions)
        return [*found, *(self.paragraph(one, "small") for one in conditions)]

    def _weighs(self, line: Line) -> Flowable:
        return self._weight(line.level, mark="" if line.checked else " †")

    def _weight(self, level: Level, mark: str = "") -> Flowable:
        said = _in_fonts(f"\N{NO-BREAK SPACE}{self.say(level.value)}\N{NO-BREAK SPACE}", LATIN_BOLD)
        if level is Level.REQUIRED:
            said = f'<font backColor="{INK.hexval()}" color="white">{said}</font>'
        return Paragraph(said + mark, self.styles["weight"])

    def _unmet(self, line: Line) -> list[Flowable]:
        found = [self.paragraph(line.remedy, "body")]
        if line.note is not None:
            found.append(self.paragraph(line.note, "small"))
        return [*found, self.paragraph(f"{self.say(line.owner)} · [{', '.join(line.marks)}]", "small")]

    def _listed(self, said: Iterable[Text]) -> str:
        return "; ".join(self.say(one) for one in said)


def _tick() -> Flowable:
    """A box to tick."""
    side = 3.6 * mm
    return Table([[""]], colWidths=[side], rowHeights=[side], hAlign="LEFT", style=[("BOX", (0, 0), (0, 0), 0.8, INK)])


_TIGHT = (
    *((side, (0, 0), (-1, -1), 0) for side in ("LEFTPADDING", "RIGHTPADDING", "TOPPADDING", "BOTTOMPADDING")),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
)
_CELLS = (
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 2 * mm),
    ("TOPPADDING", (0, 0), (-1, -1), 1.5 * mm),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5 * mm),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LINEBELOW", (0, 0), (-1, -1), 0.5, RULE),
)


def _styles(*, chinese: bool) -> dict[str, ParagraphStyle]:
    wrap = "CJK" if chinese else None

    def style(name: str, size: float, bold: bool = False, **more: object) -> ParagraphStyle:
        font = LATIN_BOLD if bold else LATIN
        made = {"fontSize": size, "leading": size * 1.3, "textColor": INK, "wordWrap": wrap, "splitLongWords": 1}
        return ParagraphStyle(name, fontName=font, **(made | more))

    every = (
        style("title", 18, bold=True, spaceBefore=3 * mm, spaceAfter=1.5 * mm),
        style("heading", 12.5, bold=True),
        style("body", 9.5),
        style("bold", 9.5, bold=True),
        style("value", 11, bold=True),
        style("small", 8.5, textColor=QUIET, spaceBefore=0.4 * mm),
        style("small right", 8.5, textColor=QUIET, alignment=TA_RIGHT),
        style("column", 8.5, bold=True, textColor=QUIET),
        style("weight", 8.5, bold=True, textColor=QUIET),
        style("foot", 7.5, textColor=QUIET),
        style("foot right", 7.5, textColor=QUIET, alignment=TA_RIGHT),
    )
    return {one.name: one for one in every}


def _in_fonts(said: str, latin: str) -> str:
    """The words as reportlab's markup, each run of letters in a font that has them."""

    def font(letter: str) -> str:
        if letter in RAISED:
            return "raised"
        if letter in IN_SYMBOL:
            return SYMBOLS
        return latin if _is_latin(letter) else CHINESE

    written = []
    for name, run in groupby(said, key=font):
        letters = escape("".join(run))
        if name == "raised":
            letters = "".join(
                f'<super><font name="{SYMBOLS if one == "−" else latin}">{one}</font></super>'
                for one in letters.translate(SUPERSCRIPTS)
            )
        elif name != latin:
            letters = f'<font name="{name}">{letters}</font>'
        written.append(letters)
    return "".join(written)


def _is_latin(letter: str) -> bool:
    try:
        letter.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True
