"""The numbers of a case: no false digits, what was judged first, what nobody published limits for folded."""

from __future__ import annotations

from bingcheng.archive.cases.changes import CaseChange
from bingcheng.archive.cases.facts import CaseValue
from bingcheng.compare.change import Verdict
from bingcheng.core.wording import text
from bingcheng.outputs.language import Language
from bingcheng.server.cases.numbers import lesion_numbers


def value(key, amount, *, exam=1, lesion=1, unit="mm", uncertainty=1.1594):
    number = {"value": amount, "standard_uncertainty": uncertainty, "unit": unit}
    return CaseValue(exam=exam, lesion=lesion, modality="CT", key=key, label=key, **number)


def change(key, percent, verdict=Verdict.REAL, **more):
    return CaseChange(
        **{"lesion": 1, "before": 1, "after": 2, "modality": "CT", "key": key, "label": key, "unit": "mm"}
        | {"difference": 9.0, "percent": percent, "low_percent": -35.0, "high_percent": 55.0, "verdict": verdict}
        | {"reasons": (text("So it is."),), "leads": True}
        | more
    )


def shown(values, changes=()):
    return lesion_numbers(values, changes, Language.of("en"))


def test_a_value_shows_no_digit_that_its_uncertainty_does_not_carry():
    (one,) = shown([value("longest_diameter", 30.7512), value("longest_diameter", 41.2, exam=2, uncertainty=None)])
    assert one.main[0].values == {1: "30.8 ± 2.3 mm", 2: "41.2 mm"}


def test_measures_without_published_limits_are_folded():
    (one,) = shown([value("longest_diameter", 30.0), value("sphericity", 0.9, unit="1"), value("hu_mean", 40.0)])
    assert [row.label for row in one.main] == ["longest_diameter", "hu_mean"]
    assert [row.label for row in one.rest] == ["sphericity"]


def test_changes_stand_at_their_lesion_with_verdict_reason_and_what_repetition_explains():
    values = [value("volume", 10.0), value("volume", 12.0, lesion=2)]
    one, two = shown(values, [change("volume", 200.0), change("sphericity", 5.0), change("volume", None, lesion=2)])
    (row,) = one.changes
    assert (row.change, row.limits, row.style) == ("+200%", "−35% … +55%", "real")
    assert str(row.reasons[0]) == "So it is."
    assert two.changes[0].change == "+9 mm"


def test_a_unit_that_is_not_known_here_is_shown_as_it_came():
    (one,) = shown([value("volume", 3.0, unit="furlong")])
    assert one.main[0].values == {1: "3 furlong"}


def test_measures_of_a_whole_series_belong_to_no_lesion():
    assert shown([value("noise", 3.0, lesion=None)]) == []
