import json

import numpy as np
import pytest

from bingcheng.core.errors import Undefined
from bingcheng.image.phantoms.cases import centred
from bingcheng.image.phantoms.render import region_of
from bingcheng.image.phantoms.shapes import sphere_of
from bingcheng.quantify.lesion import edit
from bingcheng.quantify.lesion.edit_history import EditHistory

GRID = centred((31, 41, 41), (2.0, 1.0, 1.0))


def history():
    return EditHistory(drawn=region_of(sphere_of(16.0), GRID, label="lesion", tracking_uid="1.2"))


def test_corrections_follow_each_other_and_are_told_in_the_method():
    edited = (
        history()
        .edited(edit.grown_by, margin_mm=2.0)
        .edited(edit.brushed, centre_mm=(0.0, 15.0, 0.0), radius_mm=3.0)
        .edited(edit.brushed, centre_mm=(0.0, -15.0, 0.0), radius_mm=3.0)
    )
    assert edited.region.method == "analytic; edited: grown_by, brushed x2"
    assert edited.region.tracking_uid == "1.2"
    told = json.loads(json.dumps(edited.recorded()))
    assert told[0] == {"action": "grown_by", "parameters": {"margin_mm": 2.0}}
    assert len(told) == 3


def test_undo_and_redo_walk_the_same_way_back_and_forth():
    first = history()
    second = first.edited(edit.grown_by, margin_mm=2.0)
    third = second.edited(edit.largest_part)
    assert third.undo().undo().region is first.region
    assert np.array_equal(third.undo().redo().region.mask, third.region.mask)
    assert not first.can_undo
    assert first.undo().region is first.region
    assert not third.can_redo
    assert third.redo().region.method == third.region.method
    # Nothing that was held before has changed.
    assert second.region.method == "analytic; edited: grown_by"


def test_a_new_correction_after_undo_drops_what_was_undone():
    one = history().edited(edit.grown_by, margin_mm=2.0).undo().edited(edit.grown_by, margin_mm=-1.0)
    assert not one.can_redo
    assert one.recorded() == [{"action": "grown_by", "parameters": {"margin_mm": -1.0}}]


def test_a_refused_correction_leaves_the_history_as_it_was():
    one = history()
    with pytest.raises(Undefined):
        one.edited(edit.grown_by, margin_mm=-20.0)
    assert not one.can_undo
