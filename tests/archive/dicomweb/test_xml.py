"""The Native DICOM Model (PS3.19 A.1): written, and read again."""

from __future__ import annotations

import pytest

from bingcheng.archive.dicomweb.xml import json_of, native_model
from bingcheng.core.errors import InputError

OBJECT = {
    "00080005": {"vr": "CS", "Value": ["ISO_IR 192"]},
    "00080008": {"vr": "CS", "Value": ["ORIGINAL", "PRIMARY"]},
    "00081140": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["1.2.3"]}}, {}]},
    "00090010": {"vr": "LO", "Value": ["ACME <1>"]},
    "00091001": {"vr": "OB", "InlineBinary": "AAEC"},
    "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Wang^XiaoDong", "Ideographic": "王^小东"}]},
    "00100020": {"vr": "LO"},
    "00280010": {"vr": "US", "Value": [512]},
    "00280030": {"vr": "DS", "Value": [0.8, 0.7]},
    "7FE00010": {"vr": "OW", "BulkDataURI": "http://x/bulk?a=1&b=2"},
}


def document(body: str, before: str = "") -> bytes:
    return f'<?xml version="1.0"?>{before}<NativeDicomModel>{body}</NativeDicomModel>'.encode()


def test_what_is_written_is_read_again():
    assert json_of(native_model(OBJECT)) == OBJECT


def test_a_private_attribute_says_whose_it_is():
    assert b'tag="00091001" vr="OB" privateCreator="ACME &lt;1&gt;"' in native_model(OBJECT)


def test_private_attributes_of_no_block_get_one():
    body = "".join(
        f'<DicomAttribute tag="00090002" vr="LO" privateCreator="{creator}"><Value number="1">{creator}</Value>'
        "</DicomAttribute>"
        for creator in ("B", "C")
    )
    taken = '<DicomAttribute tag="00090010" vr="LO"><Value number="1">A</Value></DicomAttribute>'
    assert json_of(document(taken + body)) == {
        "00090010": {"vr": "LO", "Value": ["A"]},
        "00090011": {"vr": "LO", "Value": ["B"]},
        "00091102": {"vr": "LO", "Value": ["B"]},
        "00090012": {"vr": "LO", "Value": ["C"]},
        "00091202": {"vr": "LO", "Value": ["C"]},
    }


def test_values_are_in_the_order_of_their_numbers():
    body = (
        '<DicomAttribute tag="00080008" vr="CS"><Value number="2">B</Value><Value number="1">A</Value></DicomAttribute>'
    )
    assert json_of(document(body)) == {"00080008": {"vr": "CS", "Value": ["A", "B"]}}


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"<html/>",
        b"<NativeDicomModel>",
        b"\xff\xfe\0\0",
        document('<DicomAttribute tag="1" vr="CS"/>'),
        document('<DicomAttribute tag="00080008" vr=""/>'),
        document("&e;", '<!DOCTYPE a [<!ENTITY e "x">]>'),
        document("&e;", '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>'),
        document('<DicomAttribute tag="00081140" vr="SQ"><Item number="1">' * 40 + "</Item></DicomAttribute>" * 40),
    ],
)
def test_what_is_no_such_document_is_refused(given):
    with pytest.raises(InputError) as refused:
        json_of(given)
    assert refused.value.code == "archive.bad-metadata"
