"""Whatever bytes stand in a file, the index and the grouping raise nothing, and the reader only our own errors."""

from __future__ import annotations

import warnings
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian
from tests.dicom.making import enhanced, image

from bingcheng.core.errors import BingchengError
from bingcheng.dicom.grouping.exams import exams
from bingcheng.dicom.index.scan import index
from bingcheng.dicom.pixels.read import read_stack, read_volume


@cache
def seeds() -> tuple[bytes, ...]:
    """Small valid files: classic in three encodings, enhanced with two b-values, compressed in three ways."""
    files = []
    for syntax in (None, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian):
        dataset, buffer = image(1), BytesIO()
        if syntax is not None:
            dataset.file_meta.TransferSyntaxUID = syntax
        dataset.save_as(buffer, enforce_file_format=True)
        files.append(buffer.getvalue())
    buffer = BytesIO()
    enhanced([{"z": z, "b": b} for b in (0.0, 800.0) for z in (0.0, 2.5)]).save_as(buffer, enforce_file_format=True)
    files.append(buffer.getvalue())
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    names = ("MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_RLE.dcm", "UN_sequence.dcm")
    files += [(folder / name).read_bytes() for name in names]
    return tuple(files)


def everything(folder: Path) -> None:
    """What an assessment does with a folder, as far as this floor goes."""
    found = index([folder])
    grouping = exams(found)
    for refusal in (*found.refusals, *grouping.refusals):
        assert str(refusal.reason)
    for exam in grouping.exams:
        for series in exam.series:
            for frames in series.volumes:
                try:
                    volume = read_volume(frames)
                except BingchengError:
                    continue
                assert np.isfinite(volume.voxels).all()
            try:
                read_stack(series, "b_value")
            except BingchengError:
                continue


Change = tuple[int, int, bytes]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    which=st.integers(0, 7),
    changes=st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 8), st.binary(max_size=8)), max_size=6),
    cut=st.none() | st.integers(0, 1 << 16),
)
def test_mutated_files_raise_nothing_but_our_own_errors(
    tmp_path: Path, which: int, changes: list[Change], cut: int | None
) -> None:
    data = bytearray(seeds()[which])
    for at, length, replacement in changes:
        start = at % len(data)
        data[start : start + length] = replacement
    if cut is not None:
        del data[cut % (len(data) + 1) :]
    (tmp_path / "x.dcm").write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        everything(tmp_path)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=600), prefixed=st.booleans())
def test_arbitrary_bytes_raise_nothing(tmp_path: Path, data: bytes, prefixed: bool) -> None:
    (tmp_path / "x.dcm").write_bytes(bytes(128) + b"DICM" + data if prefixed else data)
    (tmp_path / "y.zip").write_bytes(b"PK\x03\x04" + data)
    everything(tmp_path)
