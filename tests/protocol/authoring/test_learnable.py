"""Which quantities may be learnt: how a series was made, never who lay in the scanner."""

from __future__ import annotations

import pytest

from bingcheng.protocol.attributes import About, attributes
from bingcheng.protocol.authoring.learnable import NOT_LEARNT, VENDORS_WORDS, learnable
from bingcheng.protocol.values import Kind

MODALITIES = ("CT", "MR", "PT")


@pytest.mark.parametrize("modality", MODALITIES)
def test_nothing_of_the_patient_and_no_words_that_people_type_are_learnt(modality):
    for one in learnable(modality):
        assert not one.key.startswith("Patient")
        assert one.about is About.SERIES
        if one.kind in (Kind.WORD, Kind.WORDS):
            assert one.words or one.key in VENDORS_WORDS
        assert one.key not in ("SeriesDescription", "ProtocolName", "ContrastBolusAgent")


def test_what_a_console_is_set_to_is_learnt():
    keys = {modality: {one.key for one in learnable(modality)} for modality in MODALITIES}
    assert {"KVP", "SliceThickness", "ConvolutionKernel", "derived.contrast_delay_s"} <= keys["CT"]
    assert {"RepetitionTime", "EchoTime", "derived.b_values", "derived.acq_pixel_phase"} <= keys["MR"]
    assert {"derived.uptake_min", "derived.mbq_per_kg", "CorrectedImage"} <= keys["PT"]
    assert not any("contrast" in key.casefold() for key in keys["PT"])


def test_what_is_named_here_exists():
    assert set(attributes().keys()) >= NOT_LEARNT | VENDORS_WORDS
