"""A stored instance: what is needed to serve its bytes."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class Instance(NamedTuple):
    """One stored object; a tuple, since a series of hundreds is made of them for each request.

    Parameters
    ----------
    series_id, revision : row number of its series, and of which state of it this is.
    size : bytes of the file.
    pixel_offset : where the pixel value begins in the file; None without pixel data, and in deflated files, which
        no seek can enter.
    pixel_length : bytes of the pixel value; None if it is encapsulated in fragments, or absent.
    location : key in the storage.
    """

    space: str
    study_uid: str
    series_uid: str
    sop_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    series_id: int
    revision: int
    number: int | None
    rows: int | None
    columns: int | None
    frames: int | None
    bits_allocated: int | None
    samples: int | None
    size: int
    sha256: str
    received_at: datetime
    pixel_offset: int | None
    pixel_length: int | None
    location: str

    @property
    def encapsulated(self) -> bool:
        """Whether the pixels lie in fragments, as all compressed ones do."""
        return self.pixel_offset is not None and self.pixel_length is None

    @property
    def frame_count(self) -> int:
        """How many frames the pixel data hold."""
        return max(self.frames or 1, 1)
