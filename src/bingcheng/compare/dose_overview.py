"""All that is said of dose, as one object for outputs: records, levels, and who should look at what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bingcheng.compare.dose_groups import Procedure
from bingcheng.compare.dose_judgement import DoseJudgement, JudgedSite, judged, judged_by_published, judged_sites
from bingcheng.compare.dose_published import DoseRules, PublishedLevel
from bingcheng.compare.dose_record import DoseRecord
from bingcheng.compare.dose_reference import FEWEST_EXAMS, FEWEST_SITES, ReferenceLevel, reference_levels


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedDose:
    """One exam's record and its judgements."""

    record: DoseRecord
    judgements: tuple[DoseJudgement, ...]

    @property
    def asking(self) -> tuple[DoseJudgement, ...]:
        """Those by which somebody has something to do."""
        return tuple(judgement for judgement in self.judgements if judgement.asks)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseOverview:
    """What the dose section shows.

    Parameters
    ----------
    exams : records with their judgements, in the order given.
    levels : of all groups.
    sites : every hospital beside every level, its own region's and the published ones.
    published : the published levels that fit a procedure of the exams.
    """

    exams: tuple[JudgedDose, ...]
    levels: tuple[ReferenceLevel, ...]
    sites: tuple[JudgedSite, ...]
    published: tuple[PublishedLevel, ...] = ()

    @property
    def procedures(self) -> tuple[Procedure, ...]:
        """The procedures of the exams, from head to foot."""
        found = {exam.record.procedure for exam in self.exams}
        return tuple(sorted(found, key=_place))


def dose_overview(
    records: Iterable[DoseRecord],
    rules: DoseRules,
    *,
    authorities: Iterable[str] | None = None,
    levels: Iterable[ReferenceLevel] | None = None,
    fewest_exams: int = FEWEST_EXAMS,
    fewest_sites: int = FEWEST_SITES,
) -> DoseOverview:
    """The overview of all exams of a comparison.

    Parameters
    ----------
    records : of all exams.
    rules : with the published levels.
    authorities : whose published levels are shown; all for None.
    levels : of a larger comparison that the records belong to; made of the records themselves for None.
    fewest_exams, fewest_sites : what a hospital, and a level, need to count.
    """
    held = tuple(records)
    wanted = None if authorities is None else set(authorities)
    published = tuple(level for level in rules.level if wanted is None or level.authority in wanted)
    own = (
        reference_levels(held, fewest_exams=fewest_exams, fewest_sites=fewest_sites)
        if levels is None
        else tuple(levels)
    )
    shown = {record.procedure.regions for record in held if not record.procedure.hybrid}
    return DoseOverview(
        exams=tuple(JudgedDose(record=one, judgements=judged(one, own, published)) for one in held),
        levels=own,
        sites=(
            *(site for level in own for site in judged_sites(level)),
            *(site for level in published for site in judged_by_published(held, level, fewest_exams)),
        ),
        published=tuple(level for level in published if level.procedure.regions in shown),
    )


def _place(procedure: Procedure) -> tuple[object, ...]:
    every = list(type(procedure.regions[0])) if procedure.regions else []
    places = tuple(every.index(region) for region in procedure.regions)
    return (not procedure.regions, procedure.hybrid, places, procedure.protocol or "")
