"""A lesion in pieces measured as one: sums, the highest, means by volume, and what has no value."""

from __future__ import annotations

import pytest

from bingcheng.compare.change import Verdict
from bingcheng.compare.lesions import lesion_changes
from bingcheng.compare.pieces import NO_SUM, as_tracks
from bingcheng.compare.tracks import MatchedPair, NamedLesions, tracks
from bingcheng.quantify.lesion.matching import Link, LinkKind, Matching, Member

FIRST, SECOND = "P1.0", "P1.90"
LABELS = {"a": "A", "x": "X", "y": "Y"}


def split(*, needs_reader=False):
    """Lesion a of the first exam, in two pieces x and y in the second."""
    link = Link(kind=LinkKind.SPLIT, before=("a",), after=("x", "y"), confidence=0.8, needs_reader=needs_reader)
    after = tuple(Member(key=name, label=LABELS[name], volume_mm3=1.0) for name in ("x", "y"))
    matching = Matching(
        before=(Member(key="a", label="A", volume_mm3=1.0),), after=after, proposed=(link,), links=(link,)
    )
    exams = [
        NamedLesions(exam_uid=FIRST, labels={"a": "A"}),
        NamedLesions(exam_uid=SECOND, labels={"x": "X", "y": "Y"}),
    ]
    return tracks(
        {"P1": exams},
        [MatchedPair(earlier_uid=FIRST, later_uid=SECOND, modality="CT", matching=matching)],
    )


@pytest.fixture
def pieces(observed):
    """The same measure of both pieces, with the volumes that weigh it; as one observation."""

    def made(key, x, y, *, volumes=(3.0, 1.0), modality="CT", uncertainty=0.1):
        seen = [
            observed(key, value, day=90, lesion=name, modality=modality, uncertainty=uncertainty)
            for name, value in (("x", x), ("y", y))
        ]
        if key != "volume":
            seen += [
                observed("volume", value, day=90, lesion=name, modality=modality)
                for name, value in zip("xy", volumes, strict=True)
            ]
        whole = [one for one in as_tracks(seen, split()) if one.measurement.key == key]
        assert [one.lesion for one in whole] == ["a"]
        return whole[0].measurement

    return made


@pytest.mark.parametrize("key", ["volume", "longest_diameter"])
def test_sizes_are_added_and_err_together(pieces, key):
    whole = pieces(key, 4.0, 2.5)
    assert whole.value == 6.5
    assert whole.standard_uncertainty == pytest.approx(0.2)


def test_the_highest_uptake_is_that_of_the_hottest_piece(pieces):
    assert pieces("suv_max", 4.0, 9.0, modality="PT").value == 9.0


def test_a_mean_is_weighed_by_volume(pieces):
    # (3 * 40 + 1 * 80) / 4
    assert pieces("hu_mean", 40.0, 80.0).value == pytest.approx(50.0)


def test_a_mean_without_volumes_has_no_value(pieces):
    assert pieces("hu_mean", 40.0, 80.0, volumes=(3.0, None)).no_value.code == NO_SUM.code


def test_what_has_no_rule_has_no_value(pieces):
    whole = pieces("hu_sd", 4.0, 9.0)
    assert whole.value is None
    assert whole.no_value.code == NO_SUM.code


def test_a_piece_without_a_value_leaves_the_whole_without_one(pieces):
    whole = pieces("longest_diameter", 4.0, None)
    assert whole.value is None
    assert whole.no_value.code == "t.none"


def test_the_uncertainty_of_a_sum_is_unknown_if_that_of_a_piece_is(pieces):
    assert pieces("volume", 4.0, 2.5, uncertainty=None).standard_uncertainty is None


def test_lesions_outside_any_matching_are_handed_on_as_they_are(observed):
    seen = [observed("volume", 3.0, lesion="other"), observed("noise", 9.0, lesion=None)]
    assert list(as_tracks(seen, split())) == seen


def test_the_change_of_a_split_is_that_of_the_sum_and_keeps_the_names(observed):
    seen = [
        observed("volume", 4.0, lesion="a"),
        observed("volume", 3.0, day=90, lesion="x"),
        observed("volume", 5.0, day=90, lesion="y"),
    ]
    (lesion,) = lesion_changes(seen, tracks=split())
    assert lesion.lead.percent == pytest.approx(100.0)
    assert lesion.verdict is Verdict.REAL
    assert lesion.names == {FIRST: ("a",), SECOND: ("x", "y")}
    assert lesion.label == "A → X + Y"
    assert [one.link.kind for one in lesion.links] == [LinkKind.SPLIT]


def test_a_change_across_a_link_that_needs_a_reader_is_unknown_and_says_so(observed):
    seen = [
        observed("volume", 4.0, lesion="a"),
        observed("volume", 3.0, day=90, lesion="x"),
        observed("volume", 5.0, day=90, lesion="y"),
    ]
    (lesion,) = lesion_changes(seen, tracks=split(needs_reader=True))
    assert lesion.verdict is Verdict.UNKNOWN
    assert lesion.lead.percent == pytest.approx(100.0)
    assert "80 %" in str(lesion.lead.reasons[0])
    assert "bingcheng lesions" in str(lesion.lead.remedy)
