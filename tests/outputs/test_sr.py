"""Structured reports are conformant, open as measurements in viewers, and carry value, uncertainty and origin."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import highdicom as hd
import numpy as np
import pydicom
import pytest

from bingcheng.core.codes import Code
from bingcheng.core.errors import InputError, Owner
from bingcheng.core.measurement import Measurement, NoValue
from bingcheng.core.provenance import Provenance
from bingcheng.core.wording import text
from bingcheng.outputs.seg import write_seg
from bingcheng.outputs.sr import write_sr
from bingcheng.outputs.sr_groups import ReportedLesion
from bingcheng.quantify.size.diameter import Chord, DiameterLine

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def measured(key, value, unit, uncertainty=None, **parameters):
    return Measurement(
        key=key,
        label=key.replace("_", " ").capitalize(),
        unit=unit,
        value=value,
        standard_uncertainty=uncertainty,
        no_value=None,
        provenance=Provenance(measure=key, revision=2, parameters=parameters, inputs=("1.2.3",), version="0.9"),
    )


def undefined(key, unit):
    why = NoValue(code="t.no", reason=text("because"), remedy=text("mend it"), owner=Owner.PHYSICIST)
    return replace(measured(key, 0.0, unit), value=None, no_value=why)


@pytest.fixture(scope="module")
def axis(lesion):
    def chord(start, end):
        a, b = (tuple(float(v) for v in lesion.grid.to_mm(index)) for index in (start, end))
        return Chord(start_mm=a, end_mm=b, length_mm=float(np.linalg.norm(np.subtract(a, b))))

    return DiameterLine(
        slice_index=4,
        long_axis=chord((4, 5, 8), (4, 13, 21)),
        short_axis=chord((4, 12, 9), (4, 7, 11)),
        caliper_width_mm=8.0,
        longest_chord_mm=7.0,
    )


@pytest.fixture(scope="module")
def reported(lesion, axis):
    return ReportedLesion(
        label="Lesion A",
        tracking_uid=lesion.tracking_uid,
        measurements=(
            measured("longest_diameter", axis.long_axis.length_mm, "mm", 0.4),
            measured("short_axis", axis.short_axis.length_mm, "mm", 0.5),
            measured("volume", 1.234567890123, "ml", 0.05, seed=7, rule="half", budget={"noise": 0.25}),
            measured("suv_peak", 7.25, "g/ml", 0.3),
            measured("hu_mean", -12.5, "[hnsf'U]"),
            measured("adc_mean", 1.1, "10-3.mm2/s"),
            measured("lesion_texture_of_a_hospital", 0.31, "1"),
            undefined("metabolic_tumour_volume", "ml"),
        ),
        axis=axis,
    )


def report(source, lesions, regions, tmp_path, **options):
    seg = write_seg(tmp_path / "seg.dcm", regions, source.frames, written_at=AT)
    write_sr(tmp_path / "sr.dcm", lesions, source.frames, seg, written_at=AT, **options)
    return seg, hd.sr.srread(tmp_path / "sr.dcm")


@pytest.fixture(scope="module")
def plain(source, reported, lesion, tmp_path_factory):
    """The report of one lesion with the reference to its segmentation; only to be read."""
    return report(source, [reported], [lesion], tmp_path_factory.mktemp("plain"))


def numbers(group):
    return {m.name.meaning: m for m in group.get_measurements()}


def item(measurement, value):
    return next(i for i in measurement[0].ContentSequence if i.ConceptNameCodeSequence[0].CodeValue == value)


def test_it_is_conformant(source, reported, lesion, second_lesion, tmp_path, complaints):
    second = replace(reported, label="Lesion B", tracking_uid=second_lesion.tracking_uid, axis=None)
    report(source, [reported, second], [lesion, second_lesion], tmp_path)
    assert complaints(tmp_path / "sr.dcm") == []


def test_images_that_lost_their_identity_can_be_reported_on(bare_source, reported, lesion, tmp_path, complaints):
    report(bare_source, [reported], [lesion], tmp_path)
    assert complaints(tmp_path / "sr.dcm") == []


def test_the_axes_are_what_viewers_hydrate(plain, lesion):
    _, sr = plain
    (group,) = [g for g in sr.content.get_image_measurement_groups() if g.tracking_identifier.endswith("Bidirectional")]
    assert group.tracking_identifier == "Cornerstone3DTools@^0.1.0:Bidirectional"
    assert group.tracking_uid == lesion.tracking_uid
    names = {(m.name.scheme_designator, m.name.value) for m in group.get_measurements()}
    assert {("SRT", "G-A185"), ("SRT", "G-A186")} <= names
    long_axis, short_axis, *_ = group.get_measurements()  # viewers take the first value's line for the first axis
    assert (long_axis.name.meaning, short_axis.name.meaning) == ("Long Axis", "Short Axis")
    assert all(m.referenced_coordinates[0].GraphicType == "POLYLINE" for m in (long_axis, short_axis))


def test_the_lesion_s_own_name_stands_as_a_comment_beside_the_name_of_the_viewer_s_tool(plain):
    _, sr = plain
    (group,) = [g for g in sr.content.get_image_measurement_groups() if g.tracking_identifier.endswith("Bidirectional")]
    comment = next(i for i in group[0].ContentSequence if i.name.value == "121106")
    assert (comment.ValueType, comment.RelationshipType, comment.TextValue) == ("TEXT", "CONTAINS", "Lesion A")


def test_nothing_but_its_line_hangs_below_an_axis(plain):
    _, sr = plain
    (group,) = sr.content.get_image_measurement_groups()
    for axis in (numbers(group)[name] for name in ("Long Axis", "Short Axis")):
        assert [child.ValueType for child in axis[0].ContentSequence] == ["SCOORD"]


def test_uncertainty_and_algorithm_of_the_axes_stand_with_the_other_measurements(plain):
    _, sr = plain
    (group,) = sr.content.get_volumetric_roi_measurement_groups()
    algorithms = {item(m, "111001").TextValue for m in group.get_measurements()}
    assert {"bingcheng.longest_diameter", "bingcheng.short_axis"} <= algorithms


def test_what_viewers_list_is_named_apart_and_has_nothing_hanging_below(plain):
    _, sr = plain
    (group,) = sr.content.get_image_measurement_groups()
    bare = {name: m for name, m in numbers(group).items() if name not in ("Long Axis", "Short Axis")}
    assert bare.keys() == {
        "Volume", "Suv peak", "Hu mean", "Adc mean", "Lesion texture of a hospital"
    }  # fmt: skip
    assert all("ContentSequence" not in m[0] for m in bare.values())
    assert bare["Suv peak"].value == pytest.approx(7.25)


def test_the_images_that_carry_lines_stand_in_the_image_library(plain, source):
    _, sr = plain
    listed = [
        reference.ReferencedSOPInstanceUID
        for container in sr.ContentSequence
        if container.ConceptNameCodeSequence[0].CodeValue == "111028"
        for group in container.ContentSequence
        for item in group.ContentSequence
        if item.ValueType == "IMAGE"
        for reference in item.ReferencedSOPSequence
    ]
    assert listed == [source.frames.sop_instance_uids[4]]


def test_a_line_lies_on_its_image_where_the_lesion_was_measured(plain, source, axis):
    _, sr = plain
    (group,) = sr.content.get_image_measurement_groups()
    coordinates = numbers(group)["Long Axis"].referenced_coordinates[0]
    image = coordinates.ContentSequence[0].ReferencedSOPSequence[0]
    assert image.ReferencedSOPInstanceUID == source.frames.sop_instance_uids[axis.slice_index]
    if source.kind == "enhanced":
        assert image.ReferencedFrameNumber == source.frames.frames[axis.slice_index].frame + 1
    # columns and rows from the image's outer corner: voxel (row 5, column 8) has its centre at 8.5\5.5
    assert np.asarray(coordinates.value) == pytest.approx(np.array([[8.5, 5.5], [21.5, 13.5]]), abs=1e-4)
    assert numbers(group)["Long Axis"].value == pytest.approx(axis.long_axis.length_mm)


def test_the_other_measurements_point_at_the_segment(source, reported, lesion, second_lesion, tmp_path):
    second = replace(reported, label="Lesion B", tracking_uid=second_lesion.tracking_uid, axis=None)
    seg, sr = report(source, [reported, second], [lesion, second_lesion], tmp_path)
    groups = sr.content.get_volumetric_roi_measurement_groups()
    assert [g.tracking_uid for g in groups] == [lesion.tracking_uid, second_lesion.tracking_uid]
    for number, group in enumerate(groups, start=1):
        segment = group[0].ContentSequence
        referenced = next(i for i in segment if i.ConceptNameCodeSequence[0].get("CodeValue") == "121191")
        assert referenced.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == seg.sop_instance_uid
        assert referenced.ReferencedSOPSequence[0].ReferencedSegmentNumber == number
    written = pydicom.dcmread(seg.path)
    assert [s.TrackingUID for s in written.SegmentSequence] == [g.tracking_uid for g in groups]


def test_values_units_and_names_are_read_back(plain):
    _, sr = plain
    (group,) = sr.content.get_volumetric_roi_measurement_groups()
    found = {(m.name.value, m.name.scheme_designator): (m.value, m.unit.value) for m in group.get_measurements()}
    assert found[("118565006", "SCT")] == (pytest.approx(1.234567890123, rel=1e-9), "ml")
    assert found[("126401", "DCM")] == (pytest.approx(7.25), "g/ml{SUVbw}")
    assert found[("112031", "DCM")] == (pytest.approx(-12.5), "[hnsf'U]")
    assert found[("113041", "DCM")] == (pytest.approx(1.1), "10-3.mm2/s")


def test_a_measure_without_a_published_code_keeps_its_key(plain):
    _, sr = plain
    (group,) = sr.content.get_volumetric_roi_measurement_groups()
    own = numbers(group)["Lesion texture of a hospital"]
    assert (own.name.value, own.name.scheme_designator) == ("lesion_texture_of_a_hospital", "99BINGCHENG")


def test_a_plug_in_may_bring_its_code(source, reported, lesion, tmp_path):
    code = Code("T-1", "99HOSPITAL", "Texture of ours")
    _, sr = report(source, [reported], [lesion], tmp_path, published={"lesion_texture_of_a_hospital": code})
    (group,) = sr.content.get_volumetric_roi_measurement_groups()
    assert numbers(group)["Texture of ours"].name.value == "T-1"


def test_the_uncertainty_is_the_expanded_one_in_the_unit_of_the_value(plain):
    _, sr = plain
    (group,) = sr.content.get_volumetric_roi_measurement_groups()
    for code in ("371886008", "371885007"):
        value = item(numbers(group)["Volume"], code).MeasuredValueSequence[0]
        assert float(value.NumericValue) == pytest.approx(0.1)  # k = 2 of 0.05
        assert value.MeasurementUnitsCodeSequence[0].CodeValue == "ml"
    rows = numbers(group)["Attenuation Coefficient"][0].ContentSequence
    assert not {"371886008", "371885007"} & {i.ConceptNameCodeSequence[0].CodeValue for i in rows}


def test_each_value_says_by_which_algorithm_in_which_version_it_was_made(plain):
    _, sr = plain
    (group,) = sr.content.get_volumetric_roi_measurement_groups()
    volume = numbers(group)["Volume"]
    assert item(volume, "111001").TextValue == "bingcheng.volume"
    assert item(volume, "111003").TextValue == "0.9 (revision 2)"
    settings = [i.TextValue for i in volume[0].ContentSequence if i.ConceptNameCodeSequence[0].CodeValue == "111002"]
    assert settings == ['budget={"noise": 0.25}', "rule=half", "seed=7"]


def test_a_measurement_without_a_value_is_left_out_rather_than_written_as_a_number(plain):
    _, sr = plain
    (group,) = sr.content.get_volumetric_roi_measurement_groups()
    assert "Metabolic Volume" not in numbers(group)


def test_without_axes_the_diameters_stand_with_the_other_measurements(source, reported, lesion, tmp_path):
    _, sr = report(source, [replace(reported, axis=None)], [lesion], tmp_path)
    assert sr.content.get_image_measurement_groups() == []
    (group,) = sr.content.get_volumetric_roi_measurement_groups()
    assert {"Long axis", "Short axis"} <= numbers(group).keys()


def test_it_belongs_to_the_same_patient_and_study_and_names_its_evidence(plain, source):
    seg, sr = plain
    image = pydicom.dcmread(source.frames.frames[0].path)
    assert (sr.PatientID, sr.StudyInstanceUID) == (image.PatientID, image.StudyInstanceUID)
    evidence = {
        instance.ReferencedSOPInstanceUID
        for study in sr.CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for instance in series.ReferencedSOPSequence
    }
    assert evidence == {seg.sop_instance_uid, source.frames.sop_instance_uids[4]}


def test_the_same_call_gives_the_same_object(source, reported, lesion, tmp_path):
    report(source, [reported], [lesion], tmp_path)
    first = (tmp_path / "sr.dcm").read_bytes()
    report(source, [reported], [lesion], tmp_path)
    assert (tmp_path / "sr.dcm").read_bytes() == first


def test_a_lesion_without_any_value_is_no_report(source, reported, lesion, tmp_path):
    nothing = replace(reported, axis=None, measurements=(undefined("volume", "ml"),))
    with pytest.raises(InputError, match="nothing-to-report"):
        report(source, [nothing], [lesion], tmp_path)
