"""A protocol as a page to print on A4 and hang at the console, as HTML or as PDF; one file that needs no network.

For each series: what to set, the limit, how much it weighs, what to do when it is not met, and who says so.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import date
from enum import StrEnum
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

import bingcheng
from bingcheng.core.errors import InputError
from bingcheng.core.finding import Level
from bingcheng.core.wording import Fact, Text
from bingcheng.outputs.compiled_templates import CompiledTemplates
from bingcheng.outputs.language import Language
from bingcheng.outputs.protocol_sheet.content import content_of
from bingcheng.outputs.source_images import CANNOT_WRITE
from bingcheng.outputs.whole_file import whole_file
from bingcheng.protocol.model import Protocol

TEMPLATES = "bingcheng.outputs.protocol_sheet"


class SheetFormat(StrEnum):
    """As what a sheet is written."""

    HTML = "html"
    PDF = "pdf"

    @staticmethod
    def of(path: Path) -> SheetFormat:
        """PDF for a name that ends so, else a page of HTML."""
        return SheetFormat.PDF if path.suffix.lower() == ".pdf" else SheetFormat.HTML


def write_sheet(
    path: Path, protocol: Protocol, language: Language, *, on: date, form: SheetFormat | None = None
) -> None:
    """Write the sheet of `protocol`; the file appears whole or not at all.

    Parameters
    ----------
    on : the day that is printed on it.
    form : by the suffix of the file's name unless given.

    Raises
    ------
    InputError
        ``outputs.cannot-write``.
    """
    if (form or SheetFormat.of(path)) is SheetFormat.PDF:
        # Half a second that no other output needs.
        from bingcheng.outputs.protocol_sheet.pdf import pdf_sheet  # noqa: PLC0415

        content = pdf_sheet(protocol, language, on=on)
    else:
        content = sheet(protocol, language, on=on).encode()
    try:
        with whole_file(path) as unfinished:
            unfinished.write_bytes(content)
    except OSError as error:
        raise InputError(CANNOT_WRITE, error=type(error).__name__) from error


def sheet(protocol: Protocol, language: Language, *, on: date) -> str:
    """The sheet of `protocol` as a page of HTML."""
    css = (files(TEMPLATES) / "assets" / "sheet.css").read_text(encoding="utf-8")
    return (
        _environment(language)
        .get_template("sheet.html.jinja")
        .render(
            protocol=protocol,
            language=language,
            content=content_of(protocol),
            printed_on=on,
            version=bingcheng.__version__,
            css=Markup(css),  # noqa: S704 - our own file
            css_hash="sha256-" + b64encode(sha256(css.encode()).digest()).decode("ascii"),
        )
    )


@cache
def _environment(language: Language) -> Environment:
    """Everything is escaped, an unknown name raises, ``_`` and ``say`` speak `language`."""

    def sentence(template: str, **facts: Fact | Text) -> str:
        return language.say(Text(template, facts)) if facts else language.say(template)

    made = Environment(
        loader=PackageLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=CompiledTemplates(),
    )
    made.globals.update({"_": sentence, "say": language.say, "Level": Level})
    return made
