"""Objects are kept byte for byte, once, or refused with a code and nothing kept."""

from __future__ import annotations

import io
import json
import struct
import threading
from pathlib import Path

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage
from tests.archive.objects.conftest import FROM, SPACE, files_of
from tests.archive.objects.sent import EXPLICIT, SERIES, STUDY, SYNTAXES, dataset, deflated, file, item, written

from bingcheng.archive.dimse.association import Context
from bingcheng.archive.dimse.storing import file_head
from bingcheng.archive.objects import header as header_module
from bingcheng.archive.objects import objects as objects_module
from bingcheng.archive.objects import writer as writer_module
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.query import Query
from bingcheng.archive.objects.received import ReceivedStatus
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import BingchengError

OTHER = "hospital/2"
BOUND_TO_EXPLICIT = "1.2.840.10008.1.2.4.50"
"""A syntax of 22 letters in which elements are written as in Explicit VR Little Endian."""
NESTED = {"RequestAttributesSequence": Sequence([item(ScheduledProcedureStepID="S", RequestedProcedureID="R")])}


def receive(objects, data, space=SPACE):
    return objects.receive(data, space=space, origin=FROM)


def stored(objects, space=SPACE):
    (found,) = objects.instances_of([space], STUDY)
    with objects.open_bytes(found) as stream:
        return stream.read()


def refused(objects, data):
    with pytest.raises(BingchengError) as raised:
        receive(objects, data)
    assert files_of(objects) == []
    assert objects.statistics([SPACE])[0].instances == 0
    return raised.value.code


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_what_is_stored_is_what_was_received_in_every_transfer_syntax(objects, syntax):
    data = file(syntax=syntax)
    received = receive(objects, data)
    assert received.status is ReceivedStatus.STORED
    assert received.sop_instance_uid == f"{SERIES}.1"
    assert stored(objects) == data
    (found,) = objects.instances_of([SPACE], STUDY)
    assert found.transfer_syntax_uid == syntax
    assert found.size == len(data)
    assert objects.path(found).read_bytes() == data


def test_a_preamble_of_another_format_is_kept_as_it_came(objects):
    preamble = (b"GIF89a" + b"<script>alert(1)</script>").ljust(128, b"\x7f")
    data = file(preamble=preamble)
    receive(objects, data)
    assert stored(objects) == data


def test_a_file_without_preamble_is_kept_as_it_came(objects):
    data = file()[132:]
    receive(objects, data)
    assert stored(objects) == data


def test_a_memory_view_of_a_larger_buffer_is_taken_as_it_stands(objects):
    data = file()
    receive(objects, memoryview(b"xx" + data + b"yy")[2:-2])
    assert stored(objects) == data


def test_it_is_on_the_disk_and_found_by_others_when_receive_returns(objects):
    receive(objects, file())
    elsewhere = Workspace.open(objects.workspace.folder)
    second = Objects.open(elsewhere)
    assert [row.study_uid for row in second.studies(Query(), [SPACE])] == [STUDY]
    assert stored(second) == file()
    second.close()
    elsewhere.close()


def test_the_same_bytes_again_change_nothing(anywhere):
    receive(anywhere, file())
    assert receive(anywhere, file()).status is ReceivedStatus.ALREADY
    assert anywhere.statistics([SPACE])[0].instances == 1
    assert len(files_of(anywhere)) == 1


def test_a_series_that_comes_again_is_written_no_further_than_its_first_object(anywhere, monkeypatch):
    put, written_keys = anywhere.storage.put, []
    monkeypatch.setattr(anywhere.storage, "put", lambda key, data: (written_keys.append(1), put(key, data)))
    series = [file(number) for number in (1, 2, 3)]
    assert [receive(anywhere, one).status for one in series] == [ReceivedStatus.STORED] * 3
    assert [receive(anywhere, one).status for one in series] == [ReceivedStatus.ALREADY] * 3
    assert len(written_keys) == 4
    assert len(files_of(anywhere)) == 3
    assert receive(anywhere, file(4)).status is ReceivedStatus.STORED


def test_other_bytes_under_a_uid_are_kept_aside_once_and_reported(anywhere):
    first, later = file(), file(PatientID="P2")
    receive(anywhere, first)
    for _ in range(2):
        assert receive(anywhere, later).status is ReceivedStatus.CONFLICT
    assert stored(anywhere) == first
    (conflict,) = anywhere.conflicts([SPACE])
    assert conflict.sop_uid == f"{SERIES}.1"
    assert conflict.origin == FROM
    with anywhere.open_conflict(conflict) as stream:
        assert stream.read() == later
    assert anywhere.conflicts([OTHER]) == []
    assert len(files_of(anywhere)) == 2


def by_network(data: bytes) -> bytes:
    """The file that a listener makes of the data set of another file, with a meta header of its own."""
    start = 144 + struct.unpack_from("<I", data, 140)[0]
    command = {"AffectedSOPClassUID": str(CTImageStorage), "AffectedSOPInstanceUID": f"{SERIES}.1"}
    context = Context(number=1, abstract_syntax=str(CTImageStorage), transfer_syntax=EXPLICIT)
    return file_head(context, command) + data[start:]


@pytest.mark.parametrize("later", ["the same", "another"])
def test_who_comes_second_by_a_moment_finds_the_first(anywhere, monkeypatch, later):
    # Both looked when neither was there.
    monkeypatch.setattr(objects_module.index, "standing_now", lambda *_: None)
    data = file()
    receive(anywhere, data)
    second = data if later == "the same" else file(PatientID="P2")
    expected = ReceivedStatus.ALREADY if later == "the same" else ReceivedStatus.CONFLICT
    assert receive(anywhere, second).status is expected
    assert receive(anywhere, file(2)).status is ReceivedStatus.STORED
    (study,) = anywhere.studies(Query(), [SPACE])
    assert study.attributes["NumberOfStudyRelatedInstances"] == 2
    assert not study.patient_differs
    assert anywhere.statistics([SPACE])[0].size == len(data) + len(file(2))
    assert stored_files(anywhere) == sorted([data, file(2)])


def stored_files(objects):
    return sorted(objects.path(one).read_bytes() for one in objects.instances_of([SPACE], STUDY))


def test_one_object_twice_in_one_transaction_is_written_once(anywhere):
    arrivals = [
        objects_module._arrival(SPACE, header_module.header(memoryview(file(n))), memoryview(bytes(turn)), FROM)
        for turn, n in enumerate((1, 2, 1))
    ]
    beside: list[str] = []
    tickets = [writer_module._Ticket(arrival, lambda _, one: beside.append(one.file)) for arrival in arrivals]
    anywhere._writer._write(tickets)
    assert [ticket.standing.sha256 for ticket in tickets] == [arrivals[which].sha256 for which in (0, 1, 0)]
    assert beside == [arrivals[which].file for which in (0, 1)]
    assert anywhere.statistics([SPACE])[0].instances == 2


@pytest.mark.parametrize("first", ["by web", "by network"])
def test_a_data_set_that_comes_by_web_and_by_network_is_one_object(anywhere, first):
    # 1.5 MiB, so that it is compared in several pieces.
    web = file(size=900, preamble=b"II*\0".ljust(128, b"\1"))
    network = by_network(web)
    assert network != web
    sent = [web, network] if first == "by web" else [network, web]
    assert receive(anywhere, sent[0]).status is ReceivedStatus.STORED
    assert receive(anywhere, sent[1]).status is ReceivedStatus.ALREADY
    assert receive(anywhere, sent[0]).status is ReceivedStatus.ALREADY
    assert stored(anywhere) == sent[0]
    assert anywhere.conflicts([SPACE]) == []
    assert len(files_of(anywhere)) == 1


@pytest.mark.parametrize("change", ["the last byte", "one byte more", "one byte less"])
def test_a_data_set_that_differs_anywhere_is_another_object(objects, change):
    web = file(size=900)
    tail = b"\xfc\xff\xfc\xffOB\0\0" + struct.pack("<I", 4)
    receive(objects, web + tail + bytes(4))
    other = {
        "the last byte": web + tail + b"\0\0\0\1",
        "one byte more": web + tail + bytes(5),
        "one byte less": web,
    }[change]
    assert receive(objects, by_network(other)).status is ReceivedStatus.CONFLICT


def test_the_same_bytes_in_another_transfer_syntax_are_another_object(objects):
    explicit = file(size=16)
    receive(objects, explicit)
    renamed = explicit.replace(EXPLICIT.encode() + b"\0", BOUND_TO_EXPLICIT.encode())
    length = struct.unpack_from("<I", explicit, 140)[0] + len(renamed) - len(explicit)
    at = renamed.index(BOUND_TO_EXPLICIT.encode())
    renamed = renamed[: at - 2] + struct.pack("<H", len(BOUND_TO_EXPLICIT)) + renamed[at:]
    renamed = renamed[:140] + struct.pack("<I", length) + renamed[144:]
    assert receive(objects, renamed).status is ReceivedStatus.CONFLICT


@pytest.mark.parametrize("keep", ["stored", "received"])
def test_a_person_decides_which_of_two_is_kept(anywhere, keep):
    first, later = file(), file(PatientID="P2", series="1.2.3.9", SOPInstanceUID=f"{SERIES}.1", Modality="MR")
    receive(anywhere, first)
    receive(anywhere, later)
    (conflict,) = anywhere.conflicts([SPACE])
    with pytest.raises(BingchengError, match="no-such-conflict"):
        anywhere.settle_conflict(OTHER, conflict.id, keep=keep)
    anywhere.settle_conflict(SPACE, conflict.id, keep=keep)
    assert stored(anywhere) == (first if keep == "stored" else later)
    assert anywhere.conflicts([SPACE]) == []
    assert len(files_of(anywhere)) == 1
    (study,) = anywhere.studies(Query(), [SPACE])
    assert study.attributes["ModalitiesInStudy"] == ("CT" if keep == "stored" else "MR")
    assert study.attributes["NumberOfStudyRelatedSeries"] == 1
    with pytest.raises(BingchengError, match="no-such-conflict"):
        anywhere.settle_conflict(SPACE, conflict.id, keep=keep)


def test_the_same_uid_in_two_spaces_is_two_objects(anywhere):
    one, two = file(), file(PatientID="P2")
    assert receive(anywhere, one).status is ReceivedStatus.STORED
    assert receive(anywhere, two, OTHER).status is ReceivedStatus.STORED
    assert stored(anywhere) == one
    assert stored(anywhere, OTHER) == two
    assert anywhere.instance([OTHER, SPACE], None, None, f"{SERIES}.1").space == OTHER
    assert [found.space for found in anywhere.instances_of([SPACE, OTHER], STUDY)] == [SPACE]
    assert anywhere.remove(SPACE, STUDY) == 1
    assert stored(anywhere, OTHER) == two


def test_nothing_is_found_in_no_space(objects):
    receive(objects, file())
    assert objects.studies(Query(), []) == []
    assert objects.instances(Query(), []) == []
    assert objects.instances_of([], STUDY) == []
    assert objects.instance([], STUDY, SERIES, f"{SERIES}.1") is None
    assert objects.instance([OTHER], STUDY, SERIES, f"{SERIES}.1") is None
    assert objects.instance([SPACE], "1.9", SERIES, f"{SERIES}.1") is None


@pytest.mark.parametrize("space", ["", "hospital", "hospital/../1", "Hospital/1", "hospital/1/2", "../x"])
def test_a_space_that_is_none_is_the_programs_fault(objects, space):
    with pytest.raises(ValueError, match="space"):
        receive(objects, file(), space)
    assert files_of(objects) == []


@pytest.mark.parametrize("data", [b"", b"\0", b"not DICOM at all", bytes(1000), b"\x89PNG\r\n\x1a\n" + bytes(500)])
def test_what_is_not_dicom_is_refused(objects, data):
    assert refused(objects, data) == "archive.not-dicom"


@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"])
@pytest.mark.parametrize(
    ("uid", "code"),
    [
        (None, "archive.missing-uid"),
        ("", "archive.missing-uid"),
        ("../../etc/passwd", "archive.wrong-uid"),
        ("1.2..3", "archive.wrong-uid"),
        ("1.2.3.", "archive.wrong-uid"),
        ("1.2.3/4", "archive.wrong-uid"),
        ("1." + "2" * 64, "archive.wrong-uid"),
        ("1.2 3", "archive.wrong-uid"),
        ("1.²", "archive.wrong-uid"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_uids_that_are_none_or_missing_are_refused(objects, keyword, uid, code):
    made = dataset()
    del made[keyword]
    if uid is not None:
        setattr(made, keyword, uid)
    meta_free = written(made)[132:]
    length = struct.unpack_from("<I", meta_free, 8)[0]
    assert refused(objects, meta_free[12 + length :]) == code


def test_a_file_whose_two_uids_disagree_is_refused(objects):
    data = file()
    at = data.index(f"{SERIES}.1".encode())
    assert refused(objects, data[:at] + f"{SERIES}.2".encode() + data[at + len(f"{SERIES}.1") :]) == (
        "archive.uids-disagree"
    )


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_pixels_cut_off_anywhere_are_refused(objects, syntax):
    data = file(syntax=syntax)
    for lost in (1, 2, 8, 9, 30):
        assert refused(objects, data[:-lost]) == "archive.truncated-object"


@given(st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_header_cut_off_inside_an_element_is_refused(objects, given_data):
    data = file()
    cut = given_data.draw(st.integers(0, len(data) - 128))
    try:
        receive(objects, data[:cut])
    except BingchengError as error:
        assert error.code in ("archive.truncated-object", "archive.not-dicom", "archive.missing-uid")  # noqa: PT017
        return
    # No length tells that there were more elements; only what came whole is in it.
    (found,) = objects.instances_of([SPACE], STUDY)
    assert found.pixel_offset is None
    assert cut == len(written(pydicom.dcmread(io.BytesIO(data[:cut]))))
    objects.remove(SPACE, STUDY)


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=6))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.filterwarnings("ignore")
def test_damaged_bytes_are_refused_or_kept_as_they_came_but_never_a_fault(objects, changes):
    data = bytearray(file(7, **NESTED))
    for at, byte in changes:
        data[at % len(data)] = byte
    try:
        received = receive(objects, bytes(data))
    except BingchengError as error:
        assert error.code.startswith("archive.")  # noqa: PT017 - it may also be taken
        return
    found = objects.instance([SPACE], None, None, received.sop_instance_uid)
    with objects.open_bytes(found) as stream:
        assert stream.read() == bytes(data)
    for line in objects.metadata([found]):
        json.loads(line)
    objects.remove(SPACE, received.study_instance_uid)


def test_an_element_behind_the_pixels_that_is_cut_off_is_refused(objects):
    whole = file() + b"\xfc\xff\xfc\xffOB\0\0" + struct.pack("<I", 10) + bytes(10)
    receive(objects, whole)
    assert stored(objects) == whole
    objects.remove(SPACE, STUDY)
    assert refused(objects, whole[:-1]) == "archive.truncated-object"


def test_a_file_larger_than_allowed_is_refused(tmp_path):
    workspace = Workspace.open(tmp_path / "workspace")
    objects = Objects.open(workspace, largest_bytes=1000)
    assert refused(objects, file(size=64)) == "archive.too-large"
    objects.close()
    workspace.close()


def test_deflated_bytes_that_grow_without_end_are_refused_and_not_kept_in_memory(objects, monkeypatch):
    monkeypatch.setattr(header_module, "INFLATED_LIMIT", 80 << 20)
    monkeypatch.setattr(header_module, "HEADER_LIMIT", 1 << 20)
    inner = file(pixels=bytes(100 << 20))
    assert refused(objects, deflated(inner)) == "archive.too-large"


def test_a_deflated_file_that_is_cut_off_is_refused(objects):
    data = deflated(file(size=64))
    assert refused(objects, data[:-5]) == "archive.truncated-object"


def test_objects_that_name_different_patients_in_one_study_are_kept_and_reported(anywhere):
    receive(anywhere, file(1))
    receive(anywhere, file(2))
    assert not anywhere.studies(Query(), [SPACE])[0].patient_differs
    receive(anywhere, file(3, PatientID="P2"))
    (study,) = anywhere.studies(Query(), [SPACE])
    assert study.patient_differs
    assert study.attributes["PatientID"] == "P1"
    assert study.attributes["NumberOfStudyRelatedInstances"] == 3


def test_many_threads_may_send_at_once_the_same_and_other_objects(anywhere):
    data = [file(n, series=f"{SERIES}.{n % 3}") for n in range(24)]
    statuses, errors = [], []

    def send(turn):
        for one in data[turn:] + data[:turn]:
            try:
                statuses.append(receive(anywhere, one).status)
            except BaseException as error:
                errors.append(error)
                raise

    threads = [threading.Thread(target=send, args=(turn,)) for turn in range(0, 24, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert statuses.count(ReceivedStatus.STORED) == 24
    assert statuses.count(ReceivedStatus.ALREADY) == 24 * 5
    counts = anywhere.statistics([SPACE])[0]
    assert (counts.studies, counts.series, counts.instances) == (1, 3, 24)
    assert counts.size == sum(map(len, data))
    assert len(files_of(anywhere)) == 24


def test_the_index_takes_whatever_words_the_header_holds(anywhere):
    receive(anywhere, file(PatientID="a'b\"c%_[*", StudyDescription="x" * 64, AccessionNumber="\\".join("ab")))
    (study,) = anywhere.studies(Query(match={"PatientID": "a'b\"c%_[?"}), [SPACE])
    assert study.attributes["PatientID"] == "a'b\"c%_[*"


def test_no_name_of_a_file_tells_anything_of_the_patient_or_the_uid(objects):
    receive(objects, file())
    (path,) = files_of(objects)
    told = str(path.relative_to(objects.workspace.folder))
    assert STUDY not in told
    assert "Wang" not in told
    assert Path(told).parts[:2] == ("objects", "hospital-1")
