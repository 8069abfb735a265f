"""The evidence of a shared method, as its page shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from bingcheng.archive import schema
from bingcheng.archive.cases.evidence import Evidence, read_evidence
from bingcheng.archive.cases.methods import Method, MethodKind
from bingcheng.archive.codec import decoded
from bingcheng.core.errors import InputError
from bingcheng.core.finding import Outcome
from bingcheng.core.measurement import Measurement
from bingcheng.core.units import UNITS
from bingcheng.server.cases.words import EVIDENCE_WORDS, KIND_WORDS


def labels_of(connection: Connection, known: Method) -> Mapping[str, str]:
    """How measures of which the evidence speaks are called, as far as they were ever measured here.

    The catalogue of measures would tell of all; loading it takes seconds and the memory of its kernels.
    """
    evidence = _read(known.evidence)
    keys = sorted({one.measure for one in evidence.rows}) if evidence is not None else []
    table = schema.measurement.c
    found = {}
    for key in keys:
        record = connection.scalar(select(table.record).where(table.key == key).limit(1))
        if record is not None:
            found[key] = decoded(Measurement, record).label
    return found


def shown_evidence(known: Method, labels: Mapping[str, str]) -> dict[str, Any]:
    """What the page of a shared method needs to show its evidence, and what its description says."""
    described = _read(known.content) if known.kind is MethodKind.METHOD else None
    return {
        "evidence": _read(known.evidence),
        "described": () if described is None else described.facts,
        "labels": labels,
        "units": UNITS,
        "evidence_words": EVIDENCE_WORDS,
        "kind_words": KIND_WORDS,
        "Outcome": Outcome,
    }


def _read(written: str) -> Evidence | None:
    try:
        return read_evidence(written) if written else None
    except InputError:  # of an earlier release, which asked for less: it can still be taken away as a file
        return None
