"""Chinese text in the place of numbers goes from every attribute; tables, curves and measurements stay."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.sequence import Sequence
from tests.archive.deidentify.making import KEY, ct, read, written

from bingcheng.archive.deidentify.batch import Deidentifier, State
from bingcheng.archive.deidentify.chinese_text import says_chinese
from bingcheng.archive.deidentify.profile import Profile

NAMES = ("张三", "王小明", "诸葛小明", "北京协和医院", "患者李秀英电话", "王喆明")
CHARSETS = ("gb18030", "gbk", "utf-8")


def filled(words, charset, size=8):
    """Bytes of a text, padded to whole numbers."""
    value = words.encode(charset)
    return value + bytes(-len(value) % size)


def result_of(dataset, profile="research-follow-up"):
    return Deidentifier(profile=Profile.named(profile), key=KEY).one(written(dataset))


def with_bytes(dataset, tag, vr, value):
    """The file with an element whose bytes are the given ones, whatever numbers they are."""
    marker = b"\x11" * len(value)
    numbers = {"SS": "h", "US": "H", "UL": "I", "FL": "f", "FD": "d"}
    dataset.add_new(tag, vr, marker if vr not in numbers else [*np.frombuffer(marker, "<" + numbers[vr]).tolist()])
    data = written(dataset)
    assert data.count(marker) == 1
    return data.replace(marker, value)


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("words", NAMES)
@pytest.mark.parametrize("vr", ["US", "SS", "UL", "SL", "OF", "OD", "OL", "OB", "OW", "UN"])
def test_text_is_text_under_every_vr_of_numbers(words, charset, vr):
    assert says_chinese(filled(words, charset), vr)


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize(
    ("group", "creator", "element", "vr"),
    [
        (0x0019, "GEMS_ACQU_01", 0x5A, "FL"),
        (0x0019, "SIEMENS MR HEADER", 0x0E, "FD"),
        (0x2001, "Philips Imaging DD 001", 0x21, "SS"),
        (0x0009, "GEMS_PETD_01", 0x01, "UL"),
    ],
)
def test_in_private_numbers_it_goes(group, creator, element, vr, charset):
    value = filled("北京协和医院诸葛小明", charset)
    dataset = ct()
    dataset.private_block(group, creator, create=True)
    data = with_bytes(dataset, group << 16 | 0x1000 | element, vr, value)
    result = Deidentifier(profile=Profile.named("research-follow-up"), key=KEY).one(data)
    assert result.state is State.DONE, result.problem
    assert value.rstrip(b"\0") not in result.data
    assert not [one for one in read(result.data) if one.tag.is_private]


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize(
    ("tag", "vr"), [(0x00281201, "OW"), (0x00283006, "OW"), (0x56000020, "OF"), (0x00660016, "OF"), (0x00189089, "FD")]
)
@pytest.mark.parametrize("profile", ["basic", "teaching", "research-follow-up"])
def test_in_standard_numbers_it_goes(tag, vr, charset, profile):
    value = filled("北京协和医院诸葛小明", charset)
    data = with_bytes(ct(), tag, vr, value)
    result = Deidentifier(profile=Profile.named(profile), key=KEY).one(data)
    assert result.state is State.DONE, result.problem
    assert value.rstrip(b"\0") not in result.data


def test_a_measuring_table_in_which_it_stands_is_refused():
    item = Dataset()
    item.LUTDescriptor = [12, 0, 16]
    item.ModalityLUTType = "HU"
    item.LUTData = filled("北京协和医院诸葛小明", "gb18030", 2)
    result = result_of(ct(ModalityLUTSequence=Sequence([item])))
    assert result.state is State.REFUSED
    assert result.problem.code == "archive.deidentify-text-in-table"


def test_curves_and_tables_are_no_text():
    steps = np.linspace(0, 1, 1024)
    for gamma in np.linspace(0.2, 4, 39):
        for top in (2**12 - 1, 2**15 - 1, 2**16 - 1):
            for order in "<>":
                curve = (steps**gamma * top).astype(f"{order}u2")
                assert not says_chinese(curve.tobytes(), "OW")
                assert not says_chinese(curve[::-1].tobytes(), "OW")


@pytest.mark.parametrize(("form", "vr"), [("<f4", "FL"), ("<f8", "FD")])
def test_measured_floating_numbers_are_never_text(form, vr):
    values = np.random.default_rng(4).normal(size=20_000) * np.repeat([1e-6, 1, 1000, 1e6], 5000)
    assert not any(says_chinese(value.tobytes(), vr) for value in values.astype(form))
    assert not says_chinese(values.astype(form).tobytes(), vr)


@pytest.mark.parametrize(("count", "most"), [(2, 20), (8, 5), (256, 0)])
def test_of_random_whole_numbers_hardly_any_reads_as_text(count, most):
    """Two frequent characters of 678 in 65536 are one pair in 9300, so 2 of 20000: ten times that is no chance."""
    rng = np.random.default_rng(5)
    assert sum(says_chinese(rng.bytes(2 * count), "SS") for _ in range(20_000)) <= most
