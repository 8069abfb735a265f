"""One table of b-values and directions: the index's raw bytes and pydicom's objects say the same."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from tests.dicom.making import image, save

from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.index.elements import Broken, NotDicom, read_elements
from bingcheng.dicom.index.headers import PRIVATE_GROUPS, WANTED
from bingcheng.dicom.index.private import RawPrivate
from bingcheng.dicom.index.scan import index
from bingcheng.dicom.vendors.csa import csa_values
from bingcheng.dicom.vendors.diffusion import B_VALUES, DIRECTIONS, private_b_value, private_direction, unit_vector
from bingcheng.dicom.vendors.known import b_value, direction


def csa(**fields: tuple[str, ...]) -> bytes:
    """A CSA header of the second version with these fields, and one before and behind them."""
    written = {"Before": ("1",), **fields, "After": ()}
    raw = b"SV10\4\3\2\1" + struct.pack("<II", len(written), 77)
    for name, values in written.items():
        raw += struct.pack("<64si4siii", name.encode(), len(values), b"FD\0\0", 4, len(values), 77)
        for value in values:
            stored = value.encode() + b"\0"
            raw += struct.pack("<4i", len(stored), len(stored), 77, len(stored)) + stored + b"\0" * (-len(stored) % 4)
    return raw


def private(*elements: tuple[int, str, int, str, object], **public: object) -> Dataset:
    dataset = image(0, modality="MR", **public)
    for group, creator, element, vr, value in elements:
        # Another creator has the first block, as after a de-identifier or a second private writer.
        dataset.private_block(group, "SOMEONE ELSE", create=True).add_new(element, "LO", "7")
        dataset.private_block(group, creator, create=True).add_new(element, vr, value)
    return dataset


OBLIQUE = (0.6, 0.0, -0.8)
CSA = ("SIEMENS CSA HEADER", 0x10)
SAID = {
    "Siemens": private(
        (0x0019, "SIEMENS MR HEADER", 0x0C, "IS", 800), (0x0019, "SIEMENS MR HEADER", 0x0E, "FD", list(OBLIQUE))
    ),
    "Siemens, unknown to its reader": private(
        (0x0019, "SIEMENS MR HEADER", 0x0C, "UN", b"800 "),
        (0x0019, "SIEMENS MR HEADER", 0x0E, "UN", struct.pack("<3d", *OBLIQUE)),
    ),
    "Siemens, CSA header only": private(
        (0x0029, *CSA, "OB", csa(B_value=("800",), DiffusionGradientDirection=("0.6", "0.0", "-0.8")))
    ),
    "GE": private(
        (0x0043, "GEMS_PARM_01", 0x39, "IS", [1000000800, 8, 0, 0]),
        *((0x0019, "GEMS_ACQU_01", 0xBB + at, "DS", str(part)) for at, part in enumerate(OBLIQUE)),
    ),
    "Philips": private(
        (0x2001, "Philips Imaging DD 001", 0x03, "FL", 800.0),
        *((0x2005, "Philips MR Imaging DD 001", 0xB0 + at, "FL", part) for at, part in enumerate(OBLIQUE)),
    ),
    "UIH": private(
        (0x0065, "Image Private Header", 0x09, "FD", 800.0), (0x0065, "Image Private Header", 0x37, "FD", list(OBLIQUE))
    ),
    "UIH, as text": private(
        (0x0065, "Image Private Header", 0x09, "UN", b"800 "),
        (0x0065, "Image Private Header", 0x37, "FD", list(OBLIQUE)),
    ),
    "DICOM's own": private(DiffusionBValue=800.0, DiffusionGradientOrientation=list(OBLIQUE)),
}


@pytest.mark.parametrize("who", SAID)
def test_b_value_and_direction_are_found_in_raw_bytes_and_in_objects(who: str, tmp_path: Path) -> None:
    save(SAID[who], tmp_path / "x")
    (header,) = index([tmp_path]).headers
    read = Tags(SAID[who])
    assert header.b_value == b_value(read) == 800.0
    # 32-bit floats round to 1e-7.
    assert header.gradient == pytest.approx(OBLIQUE, abs=1e-6)
    assert direction(read) == pytest.approx(OBLIQUE, abs=1e-6)


IN_WORDS = {
    "an old Siemens sequence": ({"SequenceName": "*ep_b1000#2"}, 1000.0),
    "a Siemens trace": ({"SequenceName": "ep_b800t"}, 800.0),
    "Toshiba": ({"ImageComments": "b=1500(0.445,0.000,0.895)"}, 1500.0),
    "another comment": ({"ImageComments": "no diffusion, b=1500"}, None),
    "another sequence": ({"SequenceName": "*tse2d1_17"}, None),
    "a negative value": ({"DiffusionBValue": -1.0}, None),
}


@pytest.mark.parametrize("who", IN_WORDS)
def test_b_value_in_words_is_read_alike(who: str, tmp_path: Path) -> None:
    attributes, expected = IN_WORDS[who]
    save(private(**attributes), tmp_path / "x")
    assert index([tmp_path]).headers[0].b_value == b_value(Tags(private(**attributes))) == expected


@pytest.mark.parametrize("nested", [True, False])
def test_b_matrix_gives_its_trace(nested: bool, tmp_path: Path) -> None:
    dataset, matrix = private(), Dataset()
    place = matrix if nested else dataset
    place.DiffusionBValueXX, place.DiffusionBValueYY, place.DiffusionBValueZZ = 100.0, 250.0, 450.0
    if nested:
        dataset.DiffusionBMatrixSequence = Sequence([matrix])
    save(dataset, tmp_path / "x")
    assert index([tmp_path]).headers[0].b_value == b_value(Tags(dataset)) == 800.0


def test_a_matrix_without_its_diagonal_says_nothing(tmp_path: Path) -> None:
    dataset = private(DiffusionBValueXX=100.0, DiffusionBValueYY=250.0)
    save(dataset, tmp_path / "x")
    assert index([tmp_path]).headers[0].b_value is b_value(Tags(dataset)) is None


def test_private_numbers_of_other_modalities_are_no_diffusion(tmp_path: Path) -> None:
    dataset = image(0)
    dataset.private_block(0x0043, "GEMS_PARM_01", create=True).add_new(0x39, "IS", [800, 8, 0, 0])
    save(dataset, tmp_path / "x")
    assert index([tmp_path]).headers[0].b_value is None


@pytest.mark.parametrize(
    ("key", "value"), [("DiffusionDirectionality", "ISOTROPIC"), ("DiffusionDirectionality", "NONE")]
)
def test_an_isotropic_image_has_no_direction_whatever_stands_beside(key: str, value: str) -> None:
    dataset = SAID["DICOM's own"].copy()
    setattr(dataset, key, value)
    assert direction(Tags(dataset)) is None


def test_a_direction_of_zeros_is_none() -> None:
    zeros = [(0x2005, "Philips MR Imaging DD 001", 0xB0 + at, "FL", 0.0) for at in range(3)]
    assert direction(Tags(private(*zeros))) is None
    assert unit_vector((0.0, 0.0, 0.0)) is unit_vector((1.0, 0.0)) is None


@given(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3).map(tuple))
def test_unit_vectors_are_parallel_and_of_length_one(components: tuple[float, ...]) -> None:
    found = unit_vector(components)
    length = sum(part**2 for part in components) ** 0.5
    if found is None:
        assert length <= 1e-6
    else:
        assert tuple(part * length for part in found) == pytest.approx(components, abs=1e-9)


def test_every_place_of_the_table_is_kept_by_the_index() -> None:
    for place in (*B_VALUES, *DIRECTIONS):
        assert set(place.elements) <= set(PRIVATE_GROUPS[place.group])


def test_csa_fields_are_read_by_their_whole_name() -> None:
    raw = csa(B_value=("800 ", ""), B_value_requested=("1000",))
    assert csa_values(raw, "B_value") == ("800",)
    assert csa_values(raw, "After") == csa_values(raw, "B_val") == ()
    assert csa_values(b"SV09" + raw[4:], "B_value") == ()


@given(st.binary(max_size=300), st.integers(0, 400))
def test_damaged_csa_headers_give_nothing_and_raise_nothing(garbage: bytes, kept: int) -> None:
    whole = csa(B_value=("800",))
    for raw in (whole[:kept] + garbage, b"SV10" + garbage + b"B_value"):
        assert isinstance(csa_values(raw, "B_value"), tuple)


def test_a_csa_header_cut_before_its_value_says_nothing() -> None:
    whole = csa(B_value=("800",))
    assert csa_values(whole[: whole.index(b"B_value") + 90], "B_value") == ()


@given(st.sampled_from(sorted(SAID)), st.integers(400, 1400), st.binary(min_size=1, max_size=4))
def test_damaged_private_elements_never_raise(who: str, at: int, garbage: bytes) -> None:
    buffer = BytesIO()
    SAID[who].save_as(buffer, enforce_file_format=True)
    raw = bytearray(buffer.getvalue())
    raw[at : at + len(garbage)] = garbage
    try:
        found = read_elements(BytesIO(bytes(raw)), len(raw), WANTED, PRIVATE_GROUPS)
    except (Broken, NotDicom):
        return
    value, vector = private_b_value(RawPrivate(found)), private_direction(RawPrivate(found))
    assert value is None or value >= 0
    assert vector is None or sum(part**2 for part in vector) == pytest.approx(1.0)
