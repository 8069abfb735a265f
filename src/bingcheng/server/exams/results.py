"""The results of a patient's exams, beside what was worked out of all exams of the installation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from bingcheng.archive.numbers import Numbers, numbers
from bingcheng.archive.pairing.numbers import LEAST_CELL
from bingcheng.compare.homogeneity import SiteRow
from bingcheng.core.collector import pass_by_what_is_loaded
from bingcheng.server.site import Site

if TYPE_CHECKING:
    from bingcheng.outputs.assessment import Assessment

MOST_DOTS = 40
"""Values of a scanner that are drawn: more can't be told apart, and of ten thousand exams they would be megabytes."""


def results(
    where: Site, uids: Sequence[str], *, images: bool = True, findings_of: Sequence[str] | None = None
) -> Assessment:
    """The results of exams, with their patients' names: only for those who may see them.

    They are judged by what was worked out of all hospitals, and name none but their own.

    Parameters
    ----------
    images : for a page, which shows key images and where a value lies among all scanners'. What is taken away as a
        file holds neither: the values of other hospitals are theirs.
    findings_of : the exams of which the findings are shown; None for all.
    """
    assessment = _loaded()
    with where.workspace.reading() as connection:
        made = numbers(connection)
    beside = None if made is None else _drawn(made)
    seen = assessment(
        where.workspace, identified=True, images=images, uids=uids, findings_of=findings_of, beside=beside
    )
    dose = None if seen.dose is None else replace(seen.dose, levels=(), sites=())
    return replace(seen, dose=dose, comparison=seen.comparison if images else ())


@cache
def _loaded() -> Callable[..., Assessment]:
    """What makes results; loaded when some are wanted first."""
    # It is large; a server that only receives never loads it.
    from bingcheng.engine.view import assessment  # noqa: PLC0415
    from bingcheng.outputs.report import embedded as _embedded  # noqa: F401, PLC0415 - what draws them, to stay too

    pass_by_what_is_loaded()
    return assessment


def _drawn(made: Numbers) -> Numbers:
    """The comparison as it is drawn on an exam's page: of scanners with enough exams, some of each one's values."""
    return replace(made, comparison=tuple(_some(row) for row in made.comparison if row.count >= LEAST_CELL))


def _some(row: SiteRow) -> SiteRow:
    if len(row.values) <= MOST_DOTS:
        return row
    ordered, last = sorted(row.values), len(row.values) - 1
    return replace(row, values=tuple(ordered[round(last * n / (MOST_DOTS - 1))] for n in range(MOST_DOTS)))
