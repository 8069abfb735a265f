"""Writing the outputs of an assessment into the workspace folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bingcheng.core.errors import InputError
from bingcheng.engine.problems import CANNOT_WRITE
from bingcheng.outputs.assessment import Assessment
from bingcheng.outputs.language import Language
from bingcheng.outputs.report.page import write_report
from bingcheng.outputs.tables import write_tables

REPORT_FOLDER = "report"
TABLE_FOLDER = "tables"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Where the outputs are."""

    report: Path
    tables: tuple[Path, ...]


def publish(assessment: Assessment, folder: Path, language: Language) -> Published:
    """Write the report and the tables.

    Raises
    ------
    InputError
        ``engine.cannot-write``, ``outputs.cannot-write``.
    """
    try:
        report = write_report(assessment, folder / REPORT_FOLDER, language)
    except OSError as error:
        raise InputError(CANNOT_WRITE, what=REPORT_FOLDER, error=type(error).__name__) from error
    tables = write_tables(assessment, folder / TABLE_FOLDER, say=language.say)
    return Published(report=report, tables=tables)
