"""Recognition on exams made from published settings: with right names, with none, and with wrong ones."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.protocol.recognition.exams import MadeExam, Sample, made, misnamed, without_names

from bingcheng.protocol.attributes import ExamFacts, Reading, attributes
from bingcheng.protocol.naming import CERTAINTY

NAMES = ("right names", "no names", "wrong names")


@pytest.fixture(scope="module")
def readings() -> dict[str, list[tuple[Sample, str, object, Reading, bool]]]:
    """Every quantity of which the truth is known: series, key, truth, reading, and whether the header tells it."""
    exams = made()
    ways = dict(zip(NAMES, (exams, without_names(exams), misnamed(exams)), strict=True))
    return {way: [one for exam in named for one in _read(exam)] for way, named in ways.items()}


def _read(exam: MadeExam):
    facts = ExamFacts(acquisitions=tuple(exam.acquisitions))
    for sample in exam.samples:
        for told, truths in ((True, sample.truth), (False, sample.untold)):
            for key, truth in truths.items():
                yield sample, key, truth, attributes()[key].read(facts, sample.acquisition), told


def test_the_exams_are_many_and_of_every_vendor_and_kind(readings):
    series = {id(sample): sample for sample, *_ in readings["no names"]}.values()
    assert len(series) >= 400
    assert {s.acquisition.device.vendor for s in series} == {"SIEMENS", "GE", "PHILIPS", "UIH", "CANON"}
    assert {s.acquisition.modality for s in series} == {"MR", "CT", "PT"}
    assert len({s.setting for s in series}) > 50


@pytest.mark.parametrize("way", NAMES)
def test_nearly_every_quantity_is_right_and_the_rest_is_unknown(readings, way):
    told: dict[str, Counter] = {}
    for _, key, truth, reading, in_header in readings[way]:
        if in_header:
            outcome = "unknown" if reading.value is None else "right" if reading.value == truth else "wrong"
            told.setdefault(key, Counter())[outcome] += 1
    for key, counts in told.items():
        assert counts["right"] >= 0.98 * counts.total() - 1e-9 or key == "derived.after_contrast", (key, counts)
    together = sum(told.values(), Counter())
    assert together["right"] >= 0.99 * together.total()
    # The first of a dynamic's series may lie on either side of the injection where the agent stands in all of them.
    assert told["derived.after_contrast"]["right"] >= 0.95 * told["derived.after_contrast"].total()


@pytest.mark.parametrize("way", NAMES)
def test_nothing_is_wrong_that_physics_is_said_to_have_told(readings, way):
    wrong = [
        (sample.setting, sample.acquisition.device.vendor, key, truth, reading.value, str(reading.remark))
        for sample, key, truth, reading, _ in readings[way]
        if reading.value is not None and reading.value != truth and reading.certainty > CERTAINTY
    ]
    assert not wrong


def test_without_names_nothing_at_all_is_wrong(readings):
    assert not [one for one in readings["no names"] if one[3].value is not None and one[3].value != one[2]]


def test_with_wrong_names_hardly_anything_is_wrong_and_all_of_that_is_said_to_be_a_name_s(readings):
    wrong = [one for one in readings["wrong names"] if one[3].value is not None and one[3].value != one[2]]
    assert len(wrong) <= 0.005 * len(readings["wrong names"])
    assert all("name of the series" in str(reading.remark) for _, _, _, reading, _ in wrong)


def test_names_never_change_what_physics_tells(readings):
    for one, bare, other in zip(*(readings[way] for way in NAMES), strict=True):
        if bare[3].value is not None:
            assert one[3].value == bare[3].value == other[3].value, one[0].setting


def test_every_recognised_value_has_its_reason(readings):
    reasoned = {"derived.weighting", "derived.plane", "derived.content", "derived.sequence", "derived.contrast_times"}
    for sample, key, _, reading, _ in readings["no names"]:
        if key in reasoned and reading.value is not None:
            assert reading.remark is not None, sample.setting
            assert 0.0 < reading.certainty <= 1.0
        if reading.value is None:
            assert reading.why is not None
            assert reading.owner is not None
