"""What the header alone shows to be wrong with an image's pixels, before any is read."""

from __future__ import annotations

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.dicom.grouping.sop_classes import IMAGE_CLASSES
from bingcheng.dicom.index.elements import Elements
from bingcheng.dicom.index.headers import Header, ImageFacts

TRUNCATED = Problem(
    code="dicom.truncated",
    says="the file ends before its pixels do: {found} of {claimed} bytes",
    remedy="Export it from the archive again; an earlier copy was interrupted.",
    owner=Owner.ARCHIVE,
)
NO_PIXELS = Problem(
    code="dicom.missing-pixels",
    says="it is an image without pixels",
    remedy="Export it from the archive again, with pixel data.",
    owner=Owner.ARCHIVE,
)
WRONG_LENGTH = Problem(
    code="dicom.wrong-pixel-length",
    says="the header describes {expected} bytes of pixels but there are {found}",
    remedy="Export it from the archive again; Rows, Columns, BitsAllocated or NumberOfFrames is wrong in this copy.",
    owner=Owner.ARCHIVE,
)


def defect_of(header: Header, found: Elements) -> InputError | None:
    """What makes the pixels of an image useless; None for other objects and where nothing is known against them."""
    image = header.image
    if header.series.sop_class_uid not in IMAGE_CLASSES:
        return None
    if image is None or not header.has_pixels or found.pixels_at is None:
        return InputError(NO_PIXELS)
    if found.pixels_length is None:
        return None  # encapsulated: only decoding tells
    if found.pixels_cut_off:
        return InputError(TRUNCATED, found=max(0, found.size - found.pixels_at), claimed=found.pixels_length)
    expected = _expected_bytes(image)
    # An odd length is padded to an even one; some writers pad further, which harms nobody.
    if expected == 0 or not expected <= found.pixels_length <= expected + 64:
        return InputError(WRONG_LENGTH, expected=expected, found=found.pixels_length)
    return None


def _expected_bytes(image: ImageFacts) -> int:
    """Length of the pixels without compression as the header describes them; 0 if it doesn't say."""
    expected = image.frame_count * (image.samples or 1)
    for size in (image.rows, image.columns, image.bits_allocated):
        expected *= size or 0
    return expected // 8
