"""What the facts of one series are made from, and the contradictions found on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from pydicom.dataset import Dataset

from bingcheng.core.errors import InputError
from bingcheng.dicom.exam import FrameSource, Series, VolumeFrames
from bingcheng.dicom.facts.placeholders import recorded
from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.facts.times import acquisition_moment, series_moment
from bingcheng.dicom.sources import open_dataset
from bingcheng.dicom.vendors.known import vendor_of
from bingcheng.dicom.vendors.vendor import Vendor


class SeriesFacts:
    """One series: its header, its vendor, and what had to be corrected in it.

    Parameters
    ----------
    series : as indexed.
    volume : the one that the facts speak of, None for a series without image slices.
    header : of the volume's first slice.

    `phase_times_s` is kept once found (`bingcheng.dicom.facts.phases`), since finding it may open a file a phase.
    """

    def __init__(self, *, series: Series, volume: VolumeFrames | None, header: Tags) -> None:
        self.series = series
        self.volume = volume
        self.header = header
        self.vendor: Vendor | None = vendor_of(recorded(header.text("Manufacturer")))
        self.started_at: datetime | None = (
            series.first_acquired_at or acquisition_moment(header) or series_moment(header)
        )
        self.contradictions: list[tuple[str, str]] = []
        self.phase_times_s: tuple[float, ...] | None = None
        source = volume.frames[0] if volume is not None else series.sources[0]
        self._open: tuple[tuple[Path, str | None], Dataset] = ((source.path, source.member), header.dataset)

    def note(self, code: str, found: str) -> None:
        """Record that a value was corrected or contradicts another; `found` holds no date and no identity."""
        if (code, found) not in self.contradictions:
            self.contradictions.append((code, found))

    def keyed(self, name: str) -> tuple[float, ...]:
        """The distinct values, in order, by which the index tells the volumes of the series apart."""
        return tuple(sorted({value for volume in self.series.volumes for key, value in volume.key if key == name}))

    def header_of(self, source: FrameSource) -> Tags | None:
        """The header of another slice; None if its file can't be opened any more (the reader refuses it by name).

        The last file stays open in memory, so that the frames of one multi-frame object cost one reading.
        """
        place = (source.path, source.member)
        if self._open[0] != place:
            try:
                self._open = (place, open_dataset(source))
            except InputError:
                return None
        return Tags(self._open[1], source.frame)

    def first_headers(self, volumes: Sequence[VolumeFrames]) -> Iterator[Tags]:
        """The header of the first slice of each volume, of those that can be opened."""
        found = (self.header_of(volume.frames[0]) for volume in volumes)
        return (header for header in found if header is not None)

    def kinds(self) -> tuple[tuple[str, ...], ...]:
        """The image types of the series, in capitals: one for each kind of volumes that the index tells apart."""
        kinds = {dict(volume.key).get("component"): volume for volume in reversed(self.series.volumes)}
        headers = self.first_headers(tuple(kinds.values())) if len(kinds) > 1 else iter((self.header,))
        return tuple(image_type(header) for header in headers)


def image_type(header: Tags) -> tuple[str, ...]:
    """The words of the frame's type, else of the image's, in capitals."""
    return tuple(word.upper() for word in header.texts("FrameType") or header.texts("ImageType"))
