"""Command sets as others write them."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pynetdicom.dsutils import encode as encoded_by_pynetdicom

from bingcheng.archive.dimse.commands import decode, encode, is_uid, response
from bingcheng.archive.dimse.endings import Ended, Ending

UID = st.from_regex(r"1\.2\.[1-9][0-9]{0,20}", fullmatch=True)
SHORT = st.integers(0, 65535)


@given(
    st.fixed_dictionaries(
        {"CommandField": SHORT, "CommandDataSetType": SHORT},
        optional={
            "MessageID": SHORT,
            "Status": SHORT,
            "AffectedSOPClassUID": UID,
            "AffectedSOPInstanceUID": UID,
            "MoveDestination": st.from_regex(r"[A-Z0-9]{1,16}", fullmatch=True),
            "ErrorComment": st.from_regex(r"[a-z]{1,64}", fullmatch=True),
            "NumberOfRemainingSuboperations": SHORT,
        },
    )
)
@settings(max_examples=60)
def test_a_command_is_written_as_pynetdicom_writes_it_and_read_back(command):
    theirs = Dataset()
    for keyword, value in command.items():
        setattr(theirs, keyword, value)
    body = encoded_by_pynetdicom(theirs, True, True)
    assert encode(command) == struct.pack("<HHII", 0, 0, 4, len(body)) + body
    assert decode(encode(command)) == command


@given(st.binary(max_size=200))
@settings(max_examples=200)
def test_garbage_is_a_violation_and_never_anything_else(data):
    endings = []
    try:
        assert isinstance(decode(data)["CommandField"], int)
    except Ended as ended:
        endings.append(ended.ending)
    assert set(endings) <= {Ending.VIOLATED}


@pytest.mark.parametrize("cut", [1, 7, 9, 20])
def test_a_command_that_ends_early_is_a_violation(cut):
    whole = encode({"CommandField": 1, "MessageID": 7, "AffectedSOPClassUID": "1.2.840"})
    with pytest.raises(Ended):
        decode(whole[:-cut])


def test_a_list_of_tags_is_written_and_read():
    command = {"CommandField": 0x8001, "OffendingElement": (0x00080018, 0x0020000D)}
    assert decode(encode(command)) == command


@pytest.mark.parametrize("forged", ["", "1.2/../../etc", "../1", "1" * 65, "1.2.é", "1.2\n", "١.٢"])
def test_what_is_no_uid_is_told(forged):
    assert not is_uid(forged)


def test_an_answer_repeats_no_forged_uid_and_keeps_its_comment_short():
    answer = response({"CommandField": 1, "MessageID": 3, "AffectedSOPInstanceUID": "../x"}, 0xC000, "w" * 100)
    assert "AffectedSOPInstanceUID" not in answer
    assert len(answer["ErrorComment"]) == 64
    assert answer["CommandField"] == 0x8001
