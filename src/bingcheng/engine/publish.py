"""Writing the outputs of an assessment into the workspace folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bingcheng.archive.workspace import Workspace
from bingcheng.engine.replacing import staying, writing
from bingcheng.engine.view import assessment
from bingcheng.outputs.assessment import Assessment
from bingcheng.outputs.language import Language
from bingcheng.outputs.report.page import write_report
from bingcheng.outputs.tables import write_tables

REPORT_FOLDER = "report"
TABLE_FOLDER = "tables"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What the outputs show, and where they are."""

    assessment: Assessment
    report: Path
    tables: tuple[Path, ...]


def publish(workspace: Workspace, language: Language, *, identified: bool = False) -> Published:
    """Write the report and the tables of everything that the workspace holds.

    Runs that end at the same time write one after the other, each what the workspace holds then: the last one shows
    what all of them found, and report and tables are of one moment.

    Parameters
    ----------
    identified : see `bingcheng.engine.view.assessment`.

    Raises
    ------
    InputError
        ``engine.cannot-write``, ``outputs.cannot-write``, and what reading the workspace raises.
    """
    folder = workspace.folder
    with staying(folder / REPORT_FOLDER):
        seen = assessment(workspace, identified=identified)
        with writing(REPORT_FOLDER):
            report = write_report(seen, folder / REPORT_FOLDER, language)
        tables = write_tables(seen, folder / TABLE_FOLDER, say=language.say)
    return Published(assessment=seen, report=report, tables=tables)
