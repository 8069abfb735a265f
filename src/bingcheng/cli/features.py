"""The radiomics features of an exam's lesions in the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from bingcheng.core.wording import text
from bingcheng.outputs.assessment import ExamView
from bingcheng.outputs.language import Language
from bingcheng.outputs.radiomics.feature_set import Feature, FeatureCohort, FeatureSet, settings_of
from bingcheng.outputs.radiomics.grade import GRADES, grade_counts, grade_of, why_not_graded
from bingcheng.outputs.radiomics.units import quantity
from bingcheng.outputs.report.radiomics import FAMILIES

GRADE_STYLES = {"excellent": "green", "good": "green", "moderate": "yellow", "poor": "red", "": "dim"}


def print_features(
    console: Console, language: Language, exam: ExamView, cohorts: Sequence[FeatureCohort], *, every: bool
) -> None:
    """What features there are and how robust they are; each of them if `every`."""
    by_kind = {cohort.kind: cohort for cohort in cohorts}
    shown = [
        (series.modality, lesion.label, found)
        for series in exam.series
        for lesion in series.lesions
        for found in lesion.radiomics
    ]
    if not shown:
        return
    say = language.say
    console.print()
    console.print(f"[bold]{escape(say(text('Radiomics')))}[/]")
    for cohort in (cohort for cohort in cohorts if any(found.kind == cohort.kind for _, _, found in shown)):
        _print_cohort(console, language, cohort)
    for modality, label, found in shown:
        name = f"{modality} {label}" + ("" if found.kind.image_type == "original" else f" ({found.kind.image_type})")
        if found.refused is not None:
            console.print(f"  {escape(name)}: {escape(say(found.refused.reason))}", highlight=False)
            continue
        count = language.plural("1 feature", "{count} features", len(found.tags))
        console.print(f"  [bold]{escape(name)}[/] {escape(count)}", highlight=False)
        if every:
            _print_families(console, language, found, by_kind.get(found.kind))
    if not every:
        told = text("`bingcheng show {exam} --radiomics` lists every feature.", exam=exam.label)
        console.print(f"  [dim]{escape(say(told))}[/]", highlight=False)


def _print_cohort(console: Console, language: Language, cohort: FeatureCohort) -> None:
    say = language.say
    counts = ", ".join(f"{say(GRADES[grade])} {count}" for grade, count in grade_counts(cohort).items())
    lesions = language.plural("1 lesion", "{count} lesions", cohort.lesions)
    head = f"{cohort.kind.modality} · {say(text('settings {digest}', digest=cohort.kind.digest))} · {lesions}"
    console.print(f"  {escape(head)}: {escape(counts)}", highlight=False)
    reason, settings = why_not_graded(cohort), settings_of(cohort.settings)
    if reason is not None:
        console.print(Padding(f"[dim]{escape(say(reason))}[/]", (0, 0, 0, 4)), highlight=False)
    if settings is not None:
        steps = "; ".join(f"{say(step.name)}: {say(step.setting)}" for step in settings.steps())
        console.print(Padding(f"[dim]{escape(steps)}[/]", (0, 0, 0, 4)), highlight=False)


def _print_families(console: Console, language: Language, found: FeatureSet, cohort: FeatureCohort | None) -> None:
    for family, features in groupby(found.features(), key=lambda one: one.family):
        console.print(Padding(f"[dim]{escape(language.say(FAMILIES[family]))}[/]", (0, 0, 0, 4)))
        console.print(_table(language, features, cohort))


def _table(language: Language, features: Iterable[Feature], cohort: FeatureCohort | None) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 4), show_header=False)
    for _ in range(4):
        table.add_column(overflow="fold")
    for one in features:
        grade = grade_of(cohort, one.tag)
        told = (
            quantity(one.value, one.unit, one.expanded_uncertainty, language)
            if one.value is not None
            else language.say(text("no value") if one.no_value is None else one.no_value.reason)
        )
        words = f"[{GRADE_STYLES[grade.grade]}]{escape(language.say(grade.words))}[/]"
        table.add_row(escape(language.say(one.label)), escape(told), escape(one.ibsi), words)
    return table
