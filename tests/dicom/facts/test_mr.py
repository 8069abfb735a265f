"""What a classic MR header says of the acquired matrix and its phase direction."""

from __future__ import annotations

import pytest

from bingcheng.dicom.facts.acquired import acquisition


@pytest.fixture
def facts_of(stored, image_series):
    return lambda **attributes: acquisition(image_series([stored(Modality="MR", **attributes)]))


@pytest.mark.parametrize(("matrix", "direction"), [([256, 0, 0, 192], "ROW"), ([0, 256, 192, 0], "COL")])
def test_the_places_of_the_matrix_tell_the_phase_direction_that_no_other_entry_gives(facts_of, matrix, direction):
    facts = facts_of(AcquisitionMatrix=matrix)
    assert facts.acquisition_matrix == (256, 192)
    assert facts.phase_direction == direction


def test_the_entry_for_the_phase_direction_goes_before_the_places_of_the_matrix(facts_of):
    assert facts_of(AcquisitionMatrix=[256, 0, 0, 192], InPlanePhaseEncodingDirection="COL").phase_direction == "COL"


@pytest.mark.parametrize("matrix", [[256, 256, 192, 192], [0, 0, 0, 0], [256, 192], None])
def test_a_matrix_whose_places_say_nothing_leaves_the_direction_open(facts_of, matrix):
    assert facts_of(**({} if matrix is None else {"AcquisitionMatrix": matrix})).phase_direction is None
