"""Declared contrast phase and agent against what the image shows."""

from __future__ import annotations

import pytest
from tests.protocol.exams_ct_pet import ct

from bingcheng.protocol.attributes import ExamFacts, ImageValues, Told, attributes
from bingcheng.protocol.quantities.enhancement import NEIGHBOURS
from bingcheng.protocol.quantities.recognition.phase import IMAGE_PHASE, IN_THE_IMAGE, PHASES


def read(key, series, seen=None, probability=0.99):
    measured = {} if seen is None else {series.series_uid: {"image.contrast_phase": Told(seen, None, probability)}}
    return attributes()[key].read(ExamFacts(acquisitions=(series,), measured=measured), series)


def image(**probabilities):
    values = dict.fromkeys(IMAGE_PHASE.measures, 0.0)
    values |= {f"contrast_phase_probability.{phase}": p for phase, p in probabilities.items()}
    return IMAGE_PHASE.convert(ImageValues(acquisition=ct("1"), values=values))


# From the measured probabilities to a phase.


def test_a_probable_phase_is_told_with_its_probability():
    told = image(portal_venous=0.93, nephrographic=0.07)
    assert (told.value, told.certainty) == ("portal_venous", 0.93)
    assert "93 %" in str(told.remark)


def test_a_phase_that_the_image_leaves_open_is_not_told():
    assert image(portal_venous=0.55, nephrographic=0.45) is None


def test_the_phases_that_an_image_tells_are_phases():
    assert set(IN_THE_IMAGE) <= set(PHASES)


# What is declared.


@pytest.mark.parametrize(
    ("delay_s", "phases"),
    [
        (-30.0, {"precontrast"}),
        (30.0, {"late_arterial"}),
        (42.0, {"late_arterial", "pancreatic"}),
        (70.0, {"portal_venous"}),
        (100.0, {"portal_venous", "nephrographic"}),
        (300.0, {"delayed", "excretory"}),
    ],
)
def test_a_delay_declares_the_phases_of_all_organs(delay_s, phases):
    assert set(read("derived.declared_phases", ct("1", delay_s)).value) == phases


def test_without_a_delay_the_name_declares():
    reading = read("derived.declared_phases", ct("1", series_description="Abd portal 1.0 Br40"))
    assert reading.value == ("portal_venous",)
    assert "portal" in str(reading.remark)


def test_without_either_nothing_is_declared():
    assert read("derived.declared_phases", ct("1")).value is None
    assert read("derived.declared_phases", ct("1", 5.0)).value is None


# Declared against seen.


def test_a_portal_phase_that_shows_arteries_only_contradicts_itself_and_says_both():
    reading = read("derived.phase_agrees", ct("1", 70.0), "early_arterial")
    assert reading.value is False
    for words in ("portal venous", "early arterial", "70 s after"):
        assert words in str(reading.remark)


@pytest.mark.parametrize(("delay_s", "seen"), [(70.0, "nephrographic"), (30.0, "early_arterial"), (300.0, "excretory")])
def test_phases_that_flow_into_each_other_agree(delay_s, seen):
    assert read("derived.phase_agrees", ct("1", delay_s), seen).value is True


def test_an_image_that_is_not_sure_enough_is_not_held_against_the_header():
    reading = read("derived.phase_agrees", ct("1", 70.0), "early_arterial", probability=0.85)
    assert reading.value is None
    assert "85 %" in str(reading.why)
    assert read("derived.phase_agrees", ct("1", 70.0), "portal_venous", probability=0.85).value is True


def test_a_name_is_compared_like_a_delay():
    named = ct("1", series_description="nativ", contrast_agent=None)
    assert read("derived.phase_agrees", named, "portal_venous").value is False
    assert read("derived.phase_agrees", named, "precontrast").value is True


def test_every_phase_that_an_image_tells_agrees_with_its_own_declaration():
    for phase in IN_THE_IMAGE:
        assert phase in NEIGHBOURS[phase]


# Agent.


def test_an_agent_without_enhancement_and_enhancement_without_an_agent_contradict():
    given = read("derived.contrast_agrees", ct("1", 70.0), "precontrast")
    assert given.value is False
    assert "not enhanced" in str(given.remark)
    forgotten = read("derived.contrast_agrees", ct("1"), "late_arterial")
    assert forgotten.value is False
    assert "names no contrast agent" in str(forgotten.remark)


@pytest.mark.parametrize("word", ["NONE", "No", "无"])
def test_a_word_for_none_in_the_agents_entry_names_none(word):
    assert read("derived.contrast_agrees", ct("1", contrast_agent=word), "precontrast").value is True
    assert read("derived.contrast_agrees", ct("1", contrast_agent=word), "portal_venous").value is False


@pytest.mark.parametrize("key", ["derived.phase_agrees", "derived.contrast_agrees"])
def test_what_was_not_measured_is_not_compared(key):
    assert read(key, ct("1", 70.0)).value is None
