"""dicomweb-client (https://github.com/ImagingDataCommons/dicomweb-client) over a real server: all that it can ask."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator

import numpy as np
import pydicom
import pytest
from benchmarks.exchange_objects import file_of, image, uid_of
from benchmarks.exchange_server import serving

web = pytest.importorskip("dicomweb_client.web")
NAMES = (uid_of("mine"), uid_of("mine", "a"), uid_of("mine", "a", 1))
VALUES = (np.arange(16 * 12, dtype=np.int32).reshape(16, 12) * 7 + 1) % 3000


def read(made: pydicom.Dataset) -> pydicom.Dataset:
    """The object as it is read from a file."""
    return pydicom.dcmread(io.BytesIO(file_of(made)))


@pytest.fixture(scope="module")
def client(tmp_path_factory) -> Iterator[object]:
    """The client, with two slices and an object of three compressed frames stored by it."""
    with serving(tmp_path_factory.mktemp("served")) as (url, headers, _):
        made = web.DICOMwebClient(url, headers=headers)
        answer = made.store_instances([read(image("mine", "a", n)) for n in (1, 2)])
        assert len(answer.ReferencedSOPSequence) == 2
        frames = np.stack([VALUES, VALUES + 1, VALUES + 2]).astype(np.uint16)
        several = image("mine", "b", 1, pixels=frames, SeriesNumber=4)
        several.file_meta = pydicom.dataset.FileMetaDataset()
        several.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
        several.compress("1.2.840.10008.1.2.4.80", generate_instance_uid=False)
        made.store_instances([pydicom.dcmread(io.BytesIO(file_of(several, "1.2.840.10008.1.2.4.80")))])
        yield made


def test_it_searches(client):
    (study,) = client.search_for_studies(search_filters={"PatientID": "P-mine"}, fields=["StudyDescription"])
    assert study["0020000D"]["Value"] == [NAMES[0]]
    assert len(client.search_for_series(NAMES[0])) == 2
    assert len(client.search_for_series(search_filters={"Modality": "CT"})) == 2
    assert len(client.search_for_instances(NAMES[0], NAMES[1])) == 2
    assert len(client.search_for_instances(limit=1, offset=1)) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it repeats our warning that there are more
        assert len(client.search_for_instances(get_remaining=True, limit=1)) == 3
    assert client.search_for_studies(search_filters={"PatientName": "nobody"}) == []


def test_it_retrieves_objects(client):
    assert client.retrieve_instance(*NAMES) == image("mine", "a", 1)
    assert len(client.retrieve_series(*NAMES[:2])) == 2
    assert len(client.retrieve_study(NAMES[0])) == 3
    assert sum(1 for _ in client.iter_series(*NAMES[:2])) == 2
    named = (("application/dicom", "1.2.840.10008.1.2.1"),)
    assert client.retrieve_instance(*NAMES, media_types=named) == image("mine", "a", 1)


def test_it_retrieves_metadata_and_bulk_data(client):
    assert len(client.retrieve_study_metadata(NAMES[0])) == 3
    assert len(client.retrieve_series_metadata(*NAMES[:2])) == 2
    told = client.retrieve_instance_metadata(*NAMES)
    (value,) = client.retrieve_bulkdata(told["7FE00010"]["BulkDataURI"])
    assert value == image("mine", "a", 1).PixelData


def test_it_retrieves_frames_whatever_it_accepts(client):
    native = image("mine", "a", 1).PixelData
    assert client.retrieve_instance_frames(*NAMES, frame_numbers=[1]) == [native]
    octets = ("application/octet-stream",)
    assert client.retrieve_instance_frames(*NAMES, frame_numbers=[1], media_types=octets) == [native]
    several = (NAMES[0], uid_of("mine", "b"), uid_of("mine", "b", 1))
    found = client.retrieve_instance_frames(*several, frame_numbers=[3, 1], media_types=octets)
    assert found == [(VALUES + n).astype("<u2").tobytes() for n in (2, 0)]
    stored = client.retrieve_instance_frames(*several, frame_numbers=[2])
    assert stored[0][:2] == b"\xff\xd8"
    jls = (("image/jls", "1.2.840.10008.1.2.4.80"),)
    assert client.retrieve_instance_frames(*several, frame_numbers=[2], media_types=jls) == stored


def test_it_retrieves_pictures(client):
    assert client.retrieve_instance_rendered(*NAMES)[:2] == b"\xff\xd8"
    found = client.retrieve_instance_rendered(*NAMES, media_types=("image/png",), params={"viewport": "20,20"})
    assert found[:4] == b"\x89PNG"
    assert client.retrieve_instance_frames_rendered(*NAMES, frame_numbers=[1])[:2] == b"\xff\xd8"


def test_it_deletes(client):
    client.store_instances([read(image("doomed", "a", n)) for n in (1, 2)])
    place = (uid_of("doomed"), uid_of("doomed", "a"), uid_of("doomed", "a", 1))
    client.delete_instance(*place)
    assert len(client.search_for_instances(place[0])) == 1
    client.delete_series(*place[:2])
    assert client.search_for_studies(search_filters={"StudyInstanceUID": place[0]}) == []
