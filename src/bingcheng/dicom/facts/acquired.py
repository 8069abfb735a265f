"""Typed acquisition facts of a series, from the header of its first slice and what its index knows.

A value that is absent, empty, garbled or impossible is None; one that was corrected is recorded in `contradictions`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from bingcheng.dicom.acquisition import Acquisition, AnyAcquisition
from bingcheng.dicom.exam import FrameSource, Series, VolumeFrames
from bingcheng.dicom.facts.ct import ct_acquisition
from bingcheng.dicom.facts.general import common
from bingcheng.dicom.facts.mr import mr_acquisition
from bingcheng.dicom.facts.pet import pet_acquisition
from bingcheng.dicom.facts.series import SeriesFacts
from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.sources import open_dataset

_BY_MODALITY: Mapping[str, Callable[[SeriesFacts], AnyAcquisition]] = MappingProxyType(
    {"CT": ct_acquisition, "MR": mr_acquisition, "PT": pet_acquisition}
)


def acquisition(series: Series) -> AnyAcquisition:
    """The facts of a series: `CtAcquisition`, `MrAcquisition` or `PetAcquisition`; else an `Acquisition`.

    Parameters
    ----------
    series : with its volumes where it has any; one file is opened, of a re-processed PET series all.

    Raises
    ------
    InputError
        ``dicom.unreadable`` if the first file can't be opened any more.
    """
    volume = largest_volume(series)
    source = volume.frames[0] if volume is not None else _first_source(series)
    header = Tags(open_dataset(source), source.frame)
    facts = SeriesFacts(series=series, volume=volume, header=header)
    make = _BY_MODALITY.get(series.modality)
    return make(facts) if make is not None else Acquisition(**common(facts))


def largest_volume(series: Series) -> VolumeFrames | None:
    """The volume with the most slices (the first of several); None if the series has no image slices."""
    return max(series.volumes, key=lambda volume: len(volume.frames), default=None)


def _first_source(series: Series) -> FrameSource:
    return series.sources[0]
