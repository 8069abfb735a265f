"""``bingcheng protocol import`` and ``export-dicompare``: the file out, what was lost on the error stream."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bingcheng.cli.authoring import named, save_text
from bingcheng.cli.exits import OK
from bingcheng.core.errors import InputError
from bingcheng.core.wording import text
from bingcheng.outputs.language import Language
from bingcheng.protocol.authoring.writing import written
from bingcheng.protocol.interchange.dicompare_export import export_dicompare
from bingcheng.protocol.interchange.dicompare_import import import_dicompare
from bingcheng.protocol.interchange.remark import Remark
from bingcheng.protocol.library import UNREADABLE


def run_import(schema: Path, output: Path | None, language: Language) -> int:
    """Make a protocol file of a dicompare schema; returns the exit code.

    Raises
    ------
    InputError
        ``protocol.unreadable-file``, ``outputs.cannot-write``; what `import_dicompare` raises.
    """
    try:
        content = schema.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(UNREADABLE, file=schema.name, error=type(error).__name__) from error
    protocol, remarks = import_dicompare(content, schema.name)
    _put(written(protocol), output, language)
    _tell(remarks, language)
    return OK


def run_export_dicompare(name: str, output: Path | None, language: Language) -> int:
    """Write a protocol as a dicompare schema; returns the exit code.

    Raises
    ------
    InputError
        ``outputs.cannot-write``; what `bingcheng.cli.authoring.named` raises.
    """
    content, remarks = export_dicompare(named(name))
    _put(content, output, language)
    _tell(remarks, language)
    return OK


def _put(content: str, output: Path | None, language: Language) -> None:
    if output is None:
        sys.stdout.write(content)
        return
    save_text(output, content)
    sys.stderr.write(f"{language.say(text('Written: {file}', file=str(output)))}\n")


def _tell(remarks: Sequence[Remark], language: Language) -> None:
    """What was lost, and what has changed its meaning, each with its place."""
    for lost, heading in (
        (True, text("Not carried over:")),
        (False, text("Carried over with a difference:")),
    ):
        told = [remark for remark in remarks if remark.lost is lost]
        if told:
            lines = (f"  {remark.where}: {language.say(remark.what)}\n" for remark in told)
            sys.stderr.write(f"{language.say(heading)}\n{''.join(lines)}")
