"""DICOM parametric maps (PS3.3 A.75): a value a voxel, with its unit and what it is a map of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import highdicom
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

import bingcheng
from bingcheng.core.codes import Code
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.dicom.exam import VolumeFrames
from bingcheng.image.volume import Volume
from bingcheng.outputs.codes import unit_code
from bingcheng.outputs.seg import MANUFACTURER, PRODUCT
from bingcheng.outputs.source_images import as_in_the_images, concept, frame_count, save, source_datasets

OTHER_FRAME = Problem(
    code="outputs.map-in-other-frame-of-reference",
    says="the map lies in another frame of reference than the images it should be written for",
    remedy="Register the map to the series, or name the series that it was made from.",
    owner=Owner.DEVELOPER,
)
EMPTY_MAP = Problem(
    code="outputs.map-without-values",
    says="the map holds no value, so that no parametric map can be written",
    remedy="Choose a region that holds voxels, or a smaller window for the feature.",
    owner=Owner.RADIOLOGIST,
)

SERIES_NUMBER = 9703
EXPLANATION_LENGTH = 64
"""Value representation LO."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapReference:
    """Where a written parametric map is."""

    path: Path
    series_uid: str
    sop_instance_uid: str


@as_in_the_images()
def write_parametric_map(
    path: Path,
    volume: Volume,
    frames: VolumeFrames,
    *,
    quantity: Code,
    explanation: str,
    written_at: datetime | None = None,
) -> MapReference:
    """Write the voxels of `volume` as 32-bit floating point values, for the images in `frames`.

    The map may lie on any grid in the same frame of reference: it need not have the voxels of the images. Voxels
    without a value (not `valid`, or not finite) are NaN, which is declared as padding value (PS3.3 C.7.6.24). Patient
    and study are those of the images. UIDs follow from the images, the map and `written_at`.

    Parameters
    ----------
    path : where to write; the file appears whole or not at all.
    volume : the map, (z, y, x).
    frames : the slices of the volume it was made from.
    quantity : coded concept of what a voxel's value is.
    explanation : the same in words, with the settings that matter; becomes the series description.
    written_at : date and time of content, now unless given.

    Raises
    ------
    InputError
        ``outputs.map-without-values``, ``outputs.map-in-other-frame-of-reference``, ``dicom.unreadable``.
    """
    if not volume.geometry.same_frame(frames.geometry):
        raise InputError(OTHER_FRAME)
    voxels = _with_gaps(volume)
    known: NDArray[np.float32] = voxels[np.isfinite(voxels)]
    if not known.size:
        raise InputError(EMPTY_MAP)
    sources, _ = source_datasets(frames, range(len(frames.frames)))
    moment = written_at or datetime.now().astimezone()
    entropy = _fingerprint(frames, voxels, explanation, moment)
    words = explanation[:EXPLANATION_LENGTH]
    low, high = float(np.min(known)), float(np.max(known))
    written = highdicom.pm.ParametricMap(
        source_images=_one_frame_a_position(sources),
        pixel_array=voxels,
        series_instance_uid=generate_uid(entropy_srcs=[*entropy, "map-series"]),
        series_number=SERIES_NUMBER,
        sop_instance_uid=generate_uid(entropy_srcs=[*entropy, "map"]),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=PRODUCT,
        software_versions=bingcheng.__version__,
        device_serial_number=bingcheng.__version__,
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[
            highdicom.pm.RealWorldValueMapping(
                lut_label="VALUE",
                lut_explanation=words,
                unit=concept(unit_code(volume.unit)),
                value_range=(low, high),
                slope=1.0,
                intercept=0.0,
                quantity_definition=concept(quantity),
            )
        ],
        voi_lut_transformations=[
            highdicom.VOILUTTransformation(window_center=0.5 * (low + high), window_width=max(high - low, 1e-6))
        ],
        transfer_syntax_uid=ExplicitVRLittleEndian,
        pixel_measures=_measures(volume),
        plane_orientation=highdicom.PlaneOrientationSequence(
            "PATIENT", [*volume.geometry.axes[2], *volume.geometry.axes[1]]
        ),
        plane_positions=[
            highdicom.PlanePositionSequence("PATIENT", [float(p) for p in volume.geometry.to_mm((z, 0, 0))])
            for z in range(volume.geometry.shape[0])
        ],
        content_label="MAP",
        content_description=words,
        series_description=words,
    )
    if "Laterality" not in written:
        written.Laterality = ""  # type 2C; the images do not say, and a map knows no better
    if known.size < voxels.size:
        written.FloatPixelPaddingValue = float("nan")
    save(written, path, moment)
    return MapReference(
        path=path, series_uid=str(written.SeriesInstanceUID), sop_instance_uid=str(written.SOPInstanceUID)
    )


def _with_gaps(volume: Volume) -> NDArray[np.float32]:
    voxels: NDArray[np.float32] = np.array(volume.voxels, dtype=np.float32)
    if volume.valid is not None:
        voxels[~volume.valid] = np.nan
    return voxels


def _one_frame_a_position(sources: list[Dataset]) -> list[Dataset]:
    """The source images as highdicom takes them: a multi-frame object may hold each position several times."""
    return sources[:1] if frame_count(sources[0]) > 1 else sources


def _measures(volume: Volume) -> highdicom.PixelMeasuresSequence:
    thick, row, column = volume.geometry.spacing_mm
    return highdicom.PixelMeasuresSequence(
        pixel_spacing=[row, column], slice_thickness=thick, spacing_between_slices=thick
    )


def _fingerprint(frames: VolumeFrames, voxels: NDArray[np.float32], explanation: str, moment: datetime) -> list[str]:
    digest = hashlib.sha256(voxels.tobytes())
    return [*dict.fromkeys(frames.sop_instance_uids), digest.hexdigest(), explanation, moment.isoformat()]
