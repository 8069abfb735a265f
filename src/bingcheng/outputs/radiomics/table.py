"""Radiomics features of lesions as tables and as JSON: every value with unit, identifier, uncertainty and reason.

CSV and Parquet are as the assessment's tables (`bingcheng.outputs.tables`): one row a feature of a lesion, or, wide,
one row a lesion with a column a feature.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import bingcheng
from bingcheng.core.errors import InputError, Owner, Problem, Undefined
from bingcheng.core.refusal import Refusal
from bingcheng.core.wording import Text
from bingcheng.quantify.radiomics.extraction import RadiomicsResult
from bingcheng.quantify.radiomics.families import Entry, all_features
from bingcheng.quantify.radiomics.image_type import ImageType

if TYPE_CHECKING:
    from bingcheng.outputs.table import Column

UNKNOWN_FORMAT = Problem(
    code="outputs.radiomics-format",
    says="'{name}' does not say by its ending in which format to write",
    remedy="Let the name end in .csv, .parquet or .json.",
    owner=Owner.OPERATOR,
)

SCHEMA = "bingcheng-radiomics/1"
FORMATS = (".csv", ".parquet", ".json")
Say = Callable[[Text | str], str]
Json = dict[str, Any]
Row = tuple[str | float | int | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """How robust a feature is over the lesions of one run: a grade, or why there is none.

    `icc`, `low` and `high` are the intraclass correlation and its 95 % interval; None exactly when `reason` says why.
    """

    grade: str
    icc: float | None = None
    low: float | None = None
    high: float | None = None
    reason: Undefined | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LesionFeatures:
    """The features of one lesion in one image type.

    Parameters
    ----------
    image, lesion : names, without patient data.
    image_type : from what they were extracted.
    standard_uncertainty : k = 1 by tag, in the unit of the value, None where it is not known; empty if nobody asked.
    components : its parts by tag and kind of perturbation.
    grades : by tag; empty if nobody asked.
    repetitions : perturbations that the uncertainty was told from; 0 if nobody asked.
    """

    image: str
    lesion: str
    image_type: ImageType
    result: RadiomicsResult
    modality: str | None = None
    standard_uncertainty: Mapping[str, float | None] = field(default_factory=lambda: MappingProxyType({}))
    components: Mapping[str, Mapping[str, float | None]] = field(default_factory=lambda: MappingProxyType({}))
    grades: Mapping[str, Grade] = field(default_factory=lambda: MappingProxyType({}))
    repetitions: int = 0

    def entries(self) -> tuple[Entry, ...]:
        """The features that were asked for, in the manual's order."""
        return tuple(one for one in all_features(self.result.settings) if self.image_type.wants(one.feature.tag))

    def values(self) -> Iterator[tuple[Entry, float | Undefined]]:
        """Each feature that was asked for with its value, or why it has none."""
        yield from ((entry, self.result.values[entry.tag]) for entry in self.entries())


def written(
    path: Path, lesions: Sequence[LesionFeatures], refusals: Sequence[Refusal], *, wide: bool, say: Say
) -> None:
    """Write the features into a file, in the format that its ending names; the file appears whole or not at all.

    Parameters
    ----------
    wide : one row a lesion (CSV and Parquet alone).
    say : the language of labels and reasons; tags, codes and column names are the same in every language.

    Raises
    ------
    InputError
        ``outputs.radiomics-format``, ``outputs.cannot-write``.
    """
    ending = checked_ending(path)
    if ending == ".json":
        document = as_json(lesions, refusals, say)
        content = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1).encode()
    else:
        content = _table(lesions, parquet=ending == ".parquet", wide=wide, say=say)
    _save(path, content)


def checked_ending(path: Path) -> str:
    """The format of a file by its ending.

    Raises
    ------
    InputError
        ``outputs.radiomics-format``.
    """
    ending = path.suffix.lower()
    if ending not in FORMATS:
        raise InputError(UNKNOWN_FORMAT, name=path.name)
    return ending


def checked_place(path: Path) -> None:
    """Raise if no file can be written there, before the work that would be lost.

    Raises
    ------
    InputError
        ``outputs.cannot-write``.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        from bingcheng.outputs.source_images import CANNOT_WRITE  # noqa: PLC0415 - with highdicom

        raise InputError(CANNOT_WRITE, error=type(error).__name__) from error


def _table(lesions: Sequence[LesionFeatures], *, parquet: bool, wide: bool, say: Say) -> bytes:
    # Arrow takes a third of a second to load, which a reader of the terminal need not wait for.
    from bingcheng.outputs.csv_table import as_csv  # noqa: PLC0415
    from bingcheng.outputs.table import Table  # noqa: PLC0415
    from bingcheng.outputs.tables import as_parquet  # noqa: PLC0415

    columns, rows = _wide(lesions) if wide else _long(lesions, say)
    if not parquet:
        return as_csv(columns, rows)
    table = Table(name="radiomics", description="Radiomics features of lesions", columns=columns, rows=lambda _: rows)
    return as_parquet(table, rows)


LONG = (
    ("image", "text", "Name of the image", ""),
    ("lesion", "text", "Name of the lesion", ""),
    ("modality", "text", "DICOM modality of the image; empty if nobody said", ""),
    ("image_type", "text", "The image itself (original), or the filter that it went through", ""),
    ("feature", "text", "Tag in the IBSI's reference tables, with the aggregation", ""),
    ("label", "text", "Name in the IBSI reference manual", ""),
    ("family", "text", "Feature family", ""),
    ("ibsi", "text", "Identifier in the IBSI reference manual, with that of the aggregation", ""),
    ("value", "number", "The value; empty if the definition gives none", "{unit}"),
    ("unit", "text", "UCUM code of the unit", ""),
    ("standard_uncertainty", "number", "Standard uncertainty, k = 1; empty if not known or not asked for", "{unit}"),
    ("grade", "text", "Robustness over the lesions of this run", ""),
    ("icc", "number", "Intraclass correlation behind the grade", "1"),
    ("code", "text", "Stable code of the reason why there is no value", ""),
    ("reason", "text", "Why there is no value", ""),
    ("voxels", "count", "Voxels of the lesion after interpolation", "1"),
    ("counted", "count", "Of these, voxels whose intensity counts", "1"),
    ("settings", "text", "Digest of the settings", ""),
    ("version", "text", "Version of Bingcheng", ""),
)
"""Columns of the long table: name, kind, description, unit."""


def _long(lesions: Iterable[LesionFeatures], say: Say) -> tuple[tuple[Column, ...], list[Row]]:
    return _columns(LONG), [row for lesion in lesions for row in _rows(lesion, say)]


def _rows(one: LesionFeatures, say: Say) -> Iterator[Row]:
    result = one.result
    digest = result.settings.digest
    for entry, value in one.values():
        missing = value if isinstance(value, Undefined) else None
        grade = one.grades.get(entry.tag)
        yield (
            one.image,
            one.lesion,
            one.modality,
            one.image_type.name,
            entry.tag,
            say(entry.feature.label),
            entry.feature.family.name.lower(),
            entry.ibsi,
            None if isinstance(value, Undefined) else value,
            entry.unit_of(result.image_unit),
            one.standard_uncertainty.get(entry.tag),
            None if grade is None else grade.grade,
            None if grade is None else grade.icc,
            None if missing is None else missing.code,
            None if missing is None else say(missing.reason),
            result.voxels,
            result.counted,
            digest,
            bingcheng.__version__,
        )


def _wide(lesions: Sequence[LesionFeatures]) -> tuple[tuple[Column, ...], list[Row]]:
    """One row a lesion; a column is named ``tag``, or ``image type.tag`` where there are several image types."""
    several = len({one.image_type.name for one in lesions}) > 1
    names: dict[str, str] = {}
    rows: dict[tuple[str, str], dict[str, str | float | None]] = {}
    for one in lesions:
        row = rows.setdefault((one.image, one.lesion), {"modality": one.modality})
        for entry, value in one.values():
            name = f"{one.image_type.name}.{entry.tag}" if several else entry.tag
            names.setdefault(name, entry.unit_of(one.result.image_unit))
            row[name] = None if isinstance(value, Undefined) else value
    head = (*LONG[:3], *((name, "number", name, unit) for name, unit in names.items()))
    return _columns(head), [
        (image, lesion, row["modality"], *(row.get(name) for name in names)) for (image, lesion), row in rows.items()
    ]


def _columns(named: Iterable[tuple[str, str, str, str]]) -> tuple[Column, ...]:
    from bingcheng.outputs.table import Column, Kind  # noqa: PLC0415 - with Arrow, see above

    return tuple(Column(name=name, kind=Kind(kind), description=about, unit=unit) for name, kind, about, unit in named)


def as_json(lesions: Iterable[LesionFeatures], refusals: Iterable[Refusal], say: Say) -> Json:
    """The features as one JSON object, in JSON's own types; versioned by ``schema``."""
    return {
        "schema": SCHEMA,
        "version": bingcheng.__version__,
        "lesions": [_lesion(one, say) for one in lesions],
        "refusals": [
            {
                "code": one.code,
                "kind": one.kind.value,
                "subject": one.subject,
                "reason": say(one.reason),
                "remedy": say(one.remedy),
                "series_uid": one.series_uid,
                "count": one.count,
            }
            for one in refusals
        ],
    }


def _lesion(one: LesionFeatures, say: Say) -> Json:
    result, standardised = one.result, one.image_type.standardisation
    return {
        "image": one.image,
        "lesion": one.lesion,
        "modality": one.modality,
        "image_type": one.image_type.name,
        "image_unit": result.image_unit,
        "voxels": result.voxels,
        "counted": result.counted,
        "without_value": result.without_value,
        "spacing_mm": list(result.geometry.spacing_mm),
        "settings": result.settings.as_mapping(),
        "settings_digest": result.settings.digest,
        "standardisation": None if standardised is None else standardised.as_mapping(),
        "steps": [{"name": say(s.name), "setting": say(s.setting), "ibsi": s.ibsi} for s in result.settings.steps()],
        "repetitions": one.repetitions,
        "provenance": {
            "measure": result.provenance.measure,
            "revision": result.provenance.revision,
            "package": result.provenance.package,
            "version": result.provenance.version,
            "inputs": list(result.provenance.inputs),
            "uncertainty": result.provenance.parameters.get("uncertainty"),
            "region_method": result.provenance.parameters.get("region_method"),
            "gantry_tilt": result.provenance.parameters.get("gantry_tilt"),
        },
        "features": [_feature(one, entry, value, say) for entry, value in one.values()],
    }


def _feature(one: LesionFeatures, entry: Entry, value: float | Undefined, say: Say) -> Json:
    told: Json = {
        "feature": entry.tag,
        "label": say(entry.feature.label),
        "family": entry.feature.family.name.lower(),
        "ibsi": entry.ibsi,
        "unit": entry.unit_of(one.result.image_unit),
        "value": None if isinstance(value, Undefined) else value,
        "undefined": None,
    }
    if isinstance(value, Undefined):
        remedy = Text(value.problem.remedy, value.reason.facts)
        told["undefined"] = {"code": value.code, "reason": say(value.reason), "remedy": say(remedy)}
    if one.repetitions:
        told["standard_uncertainty"] = one.standard_uncertainty.get(entry.tag)
        told["components"] = dict(one.components.get(entry.tag, {}))
    if entry.tag in one.grades:
        grade = one.grades[entry.tag]
        told["grade"] = grade.grade
        told["icc"] = None if grade.icc is None else {"value": grade.icc, "low": grade.low, "high": grade.high}
        told["grade_reason"] = None if grade.reason is None else say(grade.reason.reason)
    return told


def _save(path: Path, content: bytes) -> None:
    from bingcheng.outputs import tables  # noqa: PLC0415 - with Arrow, see above

    tables._save(path, content)  # noqa: SLF001 - of this floor
