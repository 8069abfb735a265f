"""What a header says of the contrast agent."""

from __future__ import annotations

import pytest

from bingcheng.dicom.facts.acquired import acquisition


@pytest.mark.parametrize(
    ("written", "agent"),
    [
        ("Gadobutrol", "Gadobutrol"),
        ("Dotarem 0.5 mmol/ml", "Dotarem 0.5 mmol/ml"),
        ("钆布醇", "钆布醇"),
        ("NONE", None),
        ("none", None),
        ("No", None),
        ("Nein", None),
        ("无", None),
        ("N/A", None),
        ("", None),
    ],
)
def test_a_word_for_nothing_names_no_agent(stored, image_series, written, agent):
    for modality in ("CT", "MR"):
        series = image_series(
            [stored(Modality=modality, SpecificCharacterSet="ISO_IR 192", ContrastBolusAgent=written)]
        )
        assert acquisition(series).contrast_agent == agent
