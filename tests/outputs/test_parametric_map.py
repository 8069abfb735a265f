"""Parametric maps are conformant, hold the values where the volume has them, and belong to the images' study."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import highdicom as hd
import numpy as np
import pydicom
import pytest

from bingcheng.core.codes import Code
from bingcheng.core.errors import InputError
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.volume import Volume
from bingcheng.outputs.parametric_map import write_parametric_map

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ADC = Code("113041", "DCM", "Apparent Diffusion Coefficient")


def volume_on(geometry: VolumeGeometry, **changed) -> Volume:
    voxels = np.random.default_rng(1).normal(1000.0, 200.0, geometry.shape).astype(np.float32)
    return replace(Volume(voxels=voxels, geometry=geometry, unit="um2/s"), **changed)


def written(path, volume, source):
    write_parametric_map(path, volume, source.frames, quantity=ADC, explanation="ADC, all b-values", written_at=AT)
    return pydicom.dcmread(path)


def test_every_value_lies_where_the_volume_has_it(source, tmp_path):
    volume = volume_on(source.frames.geometry)
    seen = written(tmp_path / "map.dcm", volume, source)
    frames = np.frombuffer(seen.FloatPixelData, np.float32).reshape(volume.voxels.shape)
    for item, plane in zip(seen.PerFrameFunctionalGroupsSequence, frames, strict=True):
        z, y, x = volume.geometry.to_index(item.PlanePositionSequence[0].ImagePositionPatient)
        assert (y, x) == pytest.approx((0.0, 0.0), abs=1e-6)
        assert np.array_equal(plane, volume.voxels[round(z)])


def test_highdicom_reads_the_real_values_and_the_unit(source, tmp_path):
    volume = volume_on(source.frames.geometry)
    written(tmp_path / "map.dcm", volume, source)
    seen = hd.imread(tmp_path / "map.dcm")
    mapping = (seen.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence)[0]
    assert mapping.MeasurementUnitsCodeSequence[0].CodeValue == "um2/s"
    assert mapping.QuantityDefinitionSequence[0].ConceptCodeSequence[0].CodeValue == ADC.value
    real = seen.get_volume(apply_real_world_transform=True)
    assert np.sort(real.array, axis=None) == pytest.approx(np.sort(volume.voxels, axis=None), rel=1e-6)


def test_a_map_on_its_own_grid_keeps_its_own_spacing_and_place(source, tmp_path):
    whole = source.frames.geometry
    own = replace(whole, shape=(3, 10, 12), spacing_mm=(2.0, 2.0, 2.0), origin_mm=(-5.0, -2.0, 44.0))
    seen = written(tmp_path / "map.dcm", volume_on(own), source)
    shared = seen.SharedFunctionalGroupsSequence[0]
    assert list(shared.PixelMeasuresSequence[0].PixelSpacing) == [2.0, 2.0]
    assert (seen.Rows, seen.Columns) == (10, 12)
    places = [
        [float(p) for p in item.PlanePositionSequence[0].ImagePositionPatient]
        for item in seen.PerFrameFunctionalGroupsSequence
    ]
    assert sorted(places) == [[-5.0, -2.0, 44.0], [-5.0, -2.0, 46.0], [-5.0, -2.0, 48.0]]


def test_voxels_without_a_value_are_declared_as_padding(source, tmp_path):
    valid = np.ones(source.frames.geometry.shape, dtype=bool)
    valid[:, :4] = False
    seen = written(tmp_path / "map.dcm", volume_on(source.frames.geometry, valid=valid), source)
    frames = np.frombuffer(seen.FloatPixelData, np.float32).reshape(valid.shape)
    assert np.isnan(seen.FloatPixelPaddingValue)
    assert np.array_equal(np.isnan(frames).sum(axis=(1, 2)), np.full(valid.shape[0], 4 * valid.shape[2]))


def test_it_is_conformant_and_belongs_to_the_same_patient_and_study(source, tmp_path, complaints):
    seen = written(tmp_path / "map.dcm", volume_on(source.frames.geometry), source)
    assert complaints(tmp_path / "map.dcm") == []
    image = pydicom.dcmread(source.frames.frames[0].path)
    for keyword in ("PatientID", "PatientName", "StudyInstanceUID", "AccessionNumber", "FrameOfReferenceUID"):
        assert seen[keyword].value == image[keyword].value, keyword


def test_the_same_map_is_the_same_object_again(source, tmp_path):
    volume = volume_on(source.frames.geometry)
    written(tmp_path / "one.dcm", volume, source)
    written(tmp_path / "two.dcm", volume, source)
    assert (tmp_path / "one.dcm").read_bytes() == (tmp_path / "two.dcm").read_bytes()


def test_a_map_without_any_value_is_refused(source, tmp_path):
    empty = volume_on(source.frames.geometry, valid=np.zeros(source.frames.geometry.shape, dtype=bool))
    with pytest.raises(InputError) as caught:
        written(tmp_path / "map.dcm", empty, source)
    assert caught.value.code == "outputs.map-without-values"


def test_a_map_in_another_frame_of_reference_is_refused(source, tmp_path):
    elsewhere = volume_on(replace(source.frames.geometry, frame_of_reference_uid="1.2.3"))
    with pytest.raises(InputError) as caught:
        written(tmp_path / "map.dcm", elsewhere, source)
    assert caught.value.code == "outputs.map-in-other-frame-of-reference"
