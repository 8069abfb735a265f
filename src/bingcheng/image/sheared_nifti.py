"""NIfTI-1 files whose axes are not at right angles (a tilted gantry): the one kind that SimpleITK can't hold.

The affine of a NIfTI file (its sform, "method 3" of https://nifti.nimh.nih.gov/nifti-1) may shear. A program that
builds on ITK refuses such a file; one that takes the affine as it stands, nibabel for one, places every voxel right.
The qform ("method 2") holds rotations alone and stays empty, so that nobody takes a wrong one for the right one.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from gzip import GzipFile
from pathlib import Path
from types import MappingProxyType
from typing import IO, Literal

import numpy as np
from numpy.typing import NDArray

from bingcheng.image.geometry import Triple, VolumeGeometry

ENDINGS = (".nii", ".nii.gz")
HEADER_BYTES, VOXELS_AT = 348, 352
MAGIC = b"n+1\0"
MILLIMETRES = 2
SCANNER = 1
TYPES: Mapping[int, str] = MappingProxyType(
    {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
)
"""What numpy calls the values of a NIfTI data type."""
TO_LPS = np.array([[-1.0], [-1.0], [1.0]])
"""NIfTI counts to the right and to the front, DICOM to the left and to the back."""
# Offsets in the header (nifti1.h).
DIM, DATATYPE, BITPIX, PIXDIM, VOX_OFFSET, SLOPE, UNITS, FORMS, ROWS, MAGIC_AT = (
    40, 70, 72, 76, 108, 112, 123, 252, 280, 344,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ShearedImage:
    """What the header of such a file says; `scale` is the slope and the intercept, None where values are as stored."""

    geometry: VolumeGeometry
    stored: np.dtype[np.generic]
    voxels_at: int
    scale: tuple[float, float] | None


def sheared_image(path: Path) -> ShearedImage | None:
    """The header of a sheared NIfTI-1 file; None for every other file, whether it can be read or not.

    A file that gives a rigid transform beside its affine is no such file: who wrote it may have meant either.
    """
    try:
        with _opened(path, "rb") as stream:
            head = stream.read(HEADER_BYTES)
    except (OSError, EOFError, zlib.error):
        return None
    if len(head) < HEADER_BYTES or head[MAGIC_AT : MAGIC_AT + 4] != MAGIC:
        return None
    order: Literal["<", ">"] = "<" if struct.unpack_from("<i", head)[0] == HEADER_BYTES else ">"
    rigid, affine = struct.unpack_from(f"{order}2h", head, FORMS)
    count, *sizes = struct.unpack_from(f"{order}8h", head, DIM)
    kind = TYPES.get(struct.unpack_from(f"{order}h", head, DATATYPE)[0])
    if rigid != 0 or affine <= 0 or kind is None or not 3 <= count <= 7 or any(n > 1 for n in sizes[3:count]):
        return None
    geometry = _geometry(struct.unpack_from(f"{order}12f", head, ROWS), sizes[:3])
    if geometry is None or not geometry.sheared:
        return None
    (offset,) = struct.unpack_from(f"{order}f", head, VOX_OFFSET)
    slope, intercept = struct.unpack_from(f"{order}2f", head, SLOPE)
    scaled = slope != 0.0 and (slope, intercept) != (1.0, 0.0) and np.isfinite((slope, intercept)).all()
    return ShearedImage(
        geometry=geometry,
        stored=np.dtype(kind).newbyteorder(order),
        voxels_at=max(VOXELS_AT, int(offset)) if np.isfinite(offset) else VOXELS_AT,
        scale=(slope, intercept) if scaled else None,
    )


def sheared_voxels(path: Path, image: ShearedImage) -> NDArray[np.generic]:
    """The voxels (z, y, x) of a file whose header is known, scaled as it says.

    Raises
    ------
    OSError, EOFError, zlib.error
        it can't be read, or ends before its last voxel.
    """
    count = math.prod(image.geometry.shape)
    with _opened(path, "rb") as stream:
        stream.seek(image.voxels_at)
        content = stream.read(count * image.stored.itemsize)
    if len(content) < count * image.stored.itemsize:
        raise EOFError
    voxels = np.frombuffer(content, dtype=image.stored, count=count).reshape(image.geometry.shape)
    native = voxels.astype(image.stored.newbyteorder("="), copy=False)
    if image.scale is None:
        return native
    slope, intercept = image.scale
    scaled: NDArray[np.generic] = native * np.float32(slope) + np.float32(intercept)
    return scaled


def write_sheared(voxels: NDArray[np.generic], geometry: VolumeGeometry, path: Path) -> None:
    """Write voxels (z, y, x) on a sheared grid.

    Raises
    ------
    OSError
        it can't be written; so is a name that ends in neither of `ENDINGS`.
    """
    if not path.name.endswith(ENDINGS):
        raise OSError
    kind = next(number for number, name in TYPES.items() if np.dtype(name) == voxels.dtype)
    depth, height, width = geometry.shape
    head = bytearray(VOXELS_AT)
    struct.pack_into("<i", head, 0, HEADER_BYTES)
    struct.pack_into("<8h", head, DIM, 3, width, height, depth, 1, 1, 1, 1)
    struct.pack_into("<2h", head, DATATYPE, kind, 8 * voxels.dtype.itemsize)
    z, y, x = geometry.spacing_mm
    struct.pack_into("<8f", head, PIXDIM, 1.0, x, y, z, 0.0, 0.0, 0.0, 0.0)
    struct.pack_into("<3f", head, VOX_OFFSET, float(VOXELS_AT), 1.0, 0.0)
    head[UNITS] = MILLIMETRES
    struct.pack_into("<2h", head, FORMS, 0, SCANNER)
    rows = TO_LPS * np.column_stack([geometry.matrix[:, ::-1], np.asarray(geometry.origin_mm)])
    struct.pack_into("<12f", head, ROWS, *rows.ravel().tolist())
    head[MAGIC_AT : MAGIC_AT + 4] = MAGIC
    stored = np.ascontiguousarray(voxels, dtype=voxels.dtype.newbyteorder("<"))
    with _opened(path, "wb") as stream:
        stream.write(head)
        for layer in stored:
            stream.write(layer.data)


@contextmanager
def _opened(path: Path, mode: Literal["rb", "wb"]) -> Iterator[IO[bytes] | GzipFile]:
    with path.open(mode) as stream:
        if path.name.endswith(".gz"):
            # What is written twice is the same twice: no time stands in it.
            with GzipFile(filename="", mode=mode, fileobj=stream, mtime=0) as packed:
                yield packed
        else:
            yield stream


def _geometry(rows: tuple[float, ...], sizes: list[int]) -> VolumeGeometry | None:
    """The grid of an affine (RAS, three rows of four); None where it gives none."""
    affine = TO_LPS * np.asarray(rows, dtype=float).reshape(3, 4)
    steps = affine[:, 2::-1]
    spacing = np.linalg.norm(steps, axis=0)
    if not np.isfinite(affine).all() or min(*sizes, *spacing) <= 0.0 or abs(np.linalg.det(steps)) == 0.0:
        return None
    z, y, x = (_triple(step) for step in (steps / spacing).T)
    return VolumeGeometry(
        shape=(sizes[2], sizes[1], sizes[0]),
        spacing_mm=_triple(spacing),
        origin_mm=_triple(affine[:, 3]),
        axes=(z, y, x),
    )


def _triple(vector: NDArray[np.float64]) -> Triple:
    return float(vector[0]), float(vector[1]), float(vector[2])
