"""What the header of a NIfTI file must say so that its voxels can be placed, sized and read.

It is looked at before a library reads the file. Libraries guess where a header is damaged: they take a slope that is no
number for none, a file without its magic number for one of the older Analyze format, which does not say where left is,
and one of two sizes of a voxel.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from gzip import GzipFile
from pathlib import Path

from bingcheng.core.errors import InputError, Owner, Problem

UNREADABLE_NIFTI = Problem(
    code="image.nifti-unreadable",
    says="the file can't be read as a NIfTI image",
    remedy="Export it again, as one whole file of three dimensions.",
    owner=Owner.OPERATOR,
)
NO_SCALE = Problem(
    code="image.nifti-no-scale",
    says="the NIfTI header says by no usable number how stored values become real ones (scl_slope, scl_inter)",
    remedy="Export it again; if its values need no scaling, set scl_slope to 1 and scl_inter to 0.",
    owner=Owner.OPERATOR,
)
NO_PLACE = Problem(
    code="image.nifti-no-place",
    says="the NIfTI header places the image by values that are no numbers (qform, sform)",
    remedy="Export it again.",
    owner=Owner.OPERATOR,
)
TWO_SIZES = Problem(
    code="image.nifti-two-sizes",
    says="the NIfTI header gives two different sizes of a voxel (pixdim and sform)",
    remedy="Export it again; programs differ in which of the two they take.",
    owner=Owner.OPERATOR,
)

LARGEST_SCALE = 1e15
"""No unit of an image is so far from another; with more, values and their squares leave the range of float32."""
SAME_SIZE = 0.01
"""How far the two sizes may differ, relatively: some programs round one of them to two digits."""
SCANNER = 1
ENDINGS = (".nii", ".nii.gz")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Where things stand in a header (nifti1.h, nifti2.h)."""

    size: int
    magic_at: int
    magics: tuple[bytes, ...]
    real: str
    pixdim: int
    scale: int
    code: str
    forms: int
    quatern: int
    rows: int


_LAYOUTS = (
    _Layout(
        size=348,
        magic_at=344,
        magics=(b"n+1\0", b"ni1\0"),
        real="f",
        pixdim=76,
        scale=112,
        code="h",
        forms=252,
        quatern=256,
        rows=280,
    ),
    _Layout(
        size=540,
        magic_at=4,
        magics=(b"n+2\0", b"ni2\0"),
        real="d",
        pixdim=104,
        scale=176,
        code="i",
        forms=344,
        quatern=352,
        rows=400,
    ),
)


def require_plain_header(path: Path) -> None:
    """Raise where the header of a NIfTI file leaves something to be guessed; other formats are left to their readers.

    Raises
    ------
    InputError
        ``image.nifti-unreadable``, ``image.nifti-no-scale``, ``image.nifti-no-place``, ``image.nifti-two-sizes``.
    """
    if not path.name.lower().endswith(ENDINGS):
        return
    try:
        head = _head(path)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(UNREADABLE_NIFTI) from error
    layout = next((one for one in _LAYOUTS if head[one.magic_at : one.magic_at + 4] in one.magics), None)
    if layout is None or len(head) < layout.size:
        raise InputError(UNREADABLE_NIFTI)
    order = "<" if struct.unpack_from("<i", head)[0] == layout.size else ">"
    if not _scaled(struct.unpack_from(f"{order}2{layout.real}", head, layout.scale)):
        raise InputError(NO_SCALE)
    rigid, affine = struct.unpack_from(f"{order}2{layout.code}", head, layout.forms)
    rows = struct.unpack_from(f"{order}12{layout.real}", head, layout.rows)
    turn_and_offset = struct.unpack_from(f"{order}6{layout.real}", head, layout.quatern)
    used = (*(rows if affine > 0 else ()), *(turn_and_offset if rigid > 0 else ()))
    if not all(map(math.isfinite, used)):
        raise InputError(NO_PLACE)
    # An affine to an atlas, beside the rigid transform to the scanner, may have a size of its own.
    alone = affine == SCANNER or (affine > 0 and rigid <= 0)
    _, *pixdim = struct.unpack_from(f"{order}4{layout.real}", head, layout.pixdim)
    if alone and not _agree(pixdim, rows):
        raise InputError(TWO_SIZES)


def _head(path: Path) -> bytes:
    longest = max(layout.size for layout in _LAYOUTS)
    with path.open("rb") as stream:
        if not path.name.lower().endswith(".gz"):
            return stream.read(longest)
        with GzipFile(fileobj=stream) as packed:
            return packed.read(longest)


def _scaled(scale: Sequence[float]) -> bool:
    """Whether slope and intercept can be meant; with a slope of 0 there are none ("if nonzero", nifti1.h)."""
    return scale[0] == 0.0 or all(math.isfinite(one) and abs(one) <= LARGEST_SCALE for one in scale)


def _agree(pixdim: Sequence[float], rows: Sequence[float]) -> bool:
    """Whether the affine's columns are as long as the voxel is said to be."""
    for axis, said in enumerate(pixdim):
        length = math.hypot(rows[axis], rows[4 + axis], rows[8 + axis])
        if not math.isclose(length, abs(said), rel_tol=SAME_SIZE):
            return False
    return True
