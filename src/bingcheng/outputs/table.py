"""What a table is made of: columns with types and units, and those that several tables share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from bingcheng.core.wording import Text

if TYPE_CHECKING:
    from bingcheng.outputs.assessment import Assessment, ExamView

Cell = Text | str | float | int | bool | date | None
Row = Sequence[Cell]


class Kind(StrEnum):
    """The type of a column."""

    TEXT = "text"
    NUMBER = "number"
    COUNT = "count"
    FLAG = "flag"
    DATE = "date"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its name in files, its type, its unit (UCUM; ``{unit}`` where the row's `unit` column gives it).

    `translated` columns hold words for people that are said in the reader's language; other strings are codes and
    names, the same in every language.
    """

    name: str
    kind: Kind
    description: str
    unit: str = ""
    translated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table: its columns, and what makes its rows of an assessment."""

    name: str
    description: str
    columns: tuple[Column, ...]
    rows: Callable[[Assessment], Iterable[Row]]


def column(name: str, kind: Kind, description: str, unit: str = "") -> Column:
    """A column that is the same in every language."""
    return Column(name=name, kind=kind, description=description, unit=unit)


PATIENT = column("patient", Kind.TEXT, "Pseudonym of the patient, or the identifier in an identified assessment")
EXAM = column("exam", Kind.TEXT, "Short label of the exam in this assessment")
EXAM_UID = column("exam_uid", Kind.TEXT, "Study Instance UID")
SERIES_UID = column("series_uid", Kind.TEXT, "Series Instance UID")
SITE = column("site", Kind.TEXT, "Hospital")
DEVICE = column("device", Kind.TEXT, "Scanner: vendor, model, digest of its serial number; #? where none is recorded")
DAY = column("day", Kind.COUNT, "Days since the patient's first exam", "d")
PERFORMED_ON = column("performed_on", Kind.DATE, "Date of the exam; empty unless the assessment is identified")
LESION = column("lesion", Kind.TEXT, "Tracking identifier of the lesion; empty for a measure of the whole series")
MEASURE = column("measure", Kind.TEXT, "Key of the measure")
MEASURE_LABEL = Column(name="measure_label", kind=Kind.TEXT, description="Name of the measure", translated=True)
UNIT = column("unit", Kind.TEXT, "UCUM code of the unit of the row's values")
REASON_CODE = column("code", Kind.TEXT, "Stable code of the problem")
OWNER = column("owner", Kind.TEXT, "Who can mend it")
REMEDY = column("remedy", Kind.TEXT, "What to do")
EXAM_COLUMNS = (PATIENT, EXAM, EXAM_UID, SITE, DAY, PERFORMED_ON)


def exam_cells(exam: ExamView) -> Row:
    """The cells of `EXAM_COLUMNS`."""
    return exam.patient, exam.label, exam.uid, exam.site, exam.day, exam.performed_on
