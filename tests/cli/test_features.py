"""Radiomics features in the terminal, and options that contradict each other."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from tests.outputs.example import study
from tests.outputs.features import FLAT, feature_cohort, feature_set

from bingcheng.cli.assess import Request, _radiomics
from bingcheng.cli.features import print_features
from bingcheng.cli.usage import WrongUsage
from bingcheng.outputs.language import Language


def printed(*found, every, code="en"):
    exam = study().exams[0]
    series = exam.series[0]
    lesion = replace(series.lesions[0], radiomics=found)
    exam = replace(exam, series=(replace(series, lesions=(lesion,)), *exam.series[1:]))
    stream = StringIO()
    console = Console(file=stream, width=140)
    print_features(console, Language.of(code), exam, (feature_cohort(),), every=every)
    return stream.getvalue()


def test_the_summary_counts_grades_and_says_how_to_see_all():
    told = printed(feature_set(), every=False)
    assert "excellent 1, good 1, poor 1, not graded 1" in told
    assert "4 features" in told
    assert "--radiomics" in told
    assert "Mean intensity" not in told


def test_each_feature_stands_with_value_identifier_and_grade():
    told = printed(feature_set(), every=True)
    for words in ("Mean intensity", "41.2 ± 1.0 HU", "GYBY:IAZD", "the lesion is flat", "poor"):
        assert words in told


def test_a_lesion_without_features_says_why():
    empty = feature_set(tags=(), values=(), standard_uncertainties=(), components={}, refused=FLAT)
    assert "the lesion is flat" in printed(empty, every=True)


def test_nothing_is_printed_where_nobody_asked():
    assert printed(every=True) == ""


def test_asking_for_features_and_for_none_is_wrong_usage():
    paths = {"paths": (), "workspace": Path()}
    with pytest.raises(WrongUsage) as caught:
        _radiomics(Request(**paths, radiomics=True, no_radiomics=True))
    assert caught.value.code == "cli.radiomics-and-not"
    assert _radiomics(Request(**paths)) is None
    assert _radiomics(Request(**paths, radiomics=True)).content is None
