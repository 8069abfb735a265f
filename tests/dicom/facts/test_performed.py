"""What a CT console was set to, as facts by which it is judged like an exam."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.outputs.procedure_protocols import acquisition, performed, reconstruction
from tests.protocol.test_library import GOOD

from bingcheng.core.errors import BingchengError, InputError
from bingcheng.core.finding import Outcome
from bingcheng.dicom.facts.performed import performed_acquisitions
from bingcheng.protocol.conformance import judge
from bingcheng.protocol.library import parse, protocol


@pytest.fixture
def usual(tmp_path):
    """A scout, a spiral of the liver, and two reconstructions of the spiral."""
    return performed(
        tmp_path / "performed.dcm",
        [acquisition(1, "Scout", AcquisitionType="CONSTANT_ANGLE"), acquisition(2, "Liver")],
        [
            reconstruction(1, "Liver thin", 2),
            reconstruction(2, "Liver thick", 2, SliceThickness=5.0, SpacingBetweenSlices=5.0, ConvolutionKernel="B70f"),
        ],
    )


def test_each_reconstruction_has_the_facts_of_the_acquisition_that_it_was_made_from(usual):
    thin, thick, scout = performed_acquisitions(usual)
    assert (thin.slice_thickness_mm, thin.reconstruction_interval_mm, thin.convolution_kernel) == (2.5, 2.5, "B30f")
    assert (thick.slice_thickness_mm, thick.convolution_kernel) == (5.0, "B70f")
    for one in (thin, thick):
        assert (one.kvp_kv, one.exposure_mas, one.pitch, one.ctdi_vol_mgy) == (120.0, 240.0, 0.9, 9.5)
        assert (one.acquisition_type, one.rows, one.reconstruction_diameter_mm) == ("SPIRAL", 512, 380.0)
        assert (one.device.vendor, one.weight_kg) == ("SIEMENS", 70.0)
    assert [one.image_type[2] for one in (thin, thick, scout)] == ["AXIAL", "AXIAL", "LOCALIZER"]
    assert scout.slice_thickness_mm is None
    assert len({one.series_uid for one in (thin, thick, scout)}) == 3


def test_it_is_judged_like_an_exam(usual):
    ours = parse(GOOD, "ours.toml")
    findings = {one.criterion: one for one in judge(ours, performed_acquisitions(usual))}
    assert findings["role.CT"].outcome is not Outcome.FAIL
    assert findings["thickness"].outcome is Outcome.PASS
    assert findings["kvp"].outcome is Outcome.PASS


def test_a_setting_outside_the_limit_fails(tmp_path):
    path = performed(
        tmp_path / "p.dcm", [acquisition(1, "Liver", kvp=80.0)], [reconstruction(1, "Thick", 1, SliceThickness=7.5)]
    )
    findings = {one.criterion: one for one in judge(parse(GOOD, "ours.toml"), performed_acquisitions(path))}
    assert findings["thickness"].outcome is Outcome.FAIL
    assert findings["kvp"].outcome is Outcome.FAIL
    recist = {one.criterion: one for one in judge(protocol("ct_response_recist11"), performed_acquisitions(path))}
    assert recist["thickness"].outcome is Outcome.FAIL


def test_what_no_console_knows_stays_unknown(usual):
    thin = performed_acquisitions(usual)[0]
    assert thin.slice_count is None
    assert thin.contrast_started_at is None


def test_a_reconstruction_whose_acquisition_is_not_recorded_has_its_own_facts_only(tmp_path):
    path = performed(tmp_path / "p.dcm", [], [reconstruction(1, "Thin", 9)])
    (one,) = performed_acquisitions(path)
    assert one.slice_thickness_mm == 2.5
    assert one.kvp_kv is None
    assert one.image_type == ()


def test_other_objects_are_refused_by_name(tmp_path, usual):
    (tmp_path / "empty.dcm").write_bytes(b"")
    with pytest.raises(InputError, match=r"dicom\.not-a-performed-protocol"):
        performed_acquisitions(tmp_path / "empty.dcm")
    with pytest.raises(InputError, match=r"dicom\.unreadable"):
        performed_acquisitions(tmp_path / "absent.dcm")
    with pytest.raises(InputError, match=r"dicom\.nothing-performed"):
        performed_acquisitions(performed(tmp_path / "nothing.dcm", [], []))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=30), st.floats(0.2, 1))
def test_a_damaged_object_raises_no_other_error_than_ours(usual, changes, kept):
    damaged = bytearray(usual.read_bytes())
    for place, value in changes:
        damaged[int(place * (len(damaged) - 1))] = value
    path = usual.with_name("damaged.dcm")
    path.write_bytes(damaged[: int(kept * len(damaged))])
    try:
        found = performed_acquisitions(path)
    except BingchengError:
        return
    judge(parse(GOOD, "ours.toml"), found)
