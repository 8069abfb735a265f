"""A file that was cut after it was stored is never answered as if it were whole."""

from __future__ import annotations

import os

import pytest
from benchmarks.exchange_objects import file_of, image

ASKED = {
    "": 'multipart/related; type="application/dicom"; transfer-syntax=*',
    "#alone": "application/dicom; transfer-syntax=*",
    "#zip": "application/zip",
    "/metadata": None,
    "/bulkdata": 'multipart/related; type="application/octet-stream"',
    "/pixeldata": 'multipart/related; type="application/octet-stream"',
    "/bulk/7FE00010": "application/octet-stream",
    "/frames/1": 'multipart/related; type="application/octet-stream"',
    "/rendered": "image/png",
    "/thumbnail": "image/png",
}


@pytest.mark.parametrize("left", [0.1, 0.9])
def test_whatever_is_asked_of_a_cut_file_is_refused_and_the_server_lives_on(fresh, left):
    for number in (1, 2):
        fresh.put(file_of(image("cut", "s", number)))
    held, whole = fresh.site.objects.instances_of(
        [f"hospital/{fresh.hospitals['north']}"], image("cut", "s", 1).StudyInstanceUID
    )
    places = [f"/studies/{one.study_uid}/series/{one.series_uid}/instances/{one.sop_uid}" for one in (held, whole)]
    os.truncate(fresh.site.objects.path(held), int(held.size * left))
    answers = {path: fresh.get(places[0] + path.partition("#")[0], accept) for path, accept in ASKED.items()}
    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(ASKED, 503)
    assert {answer.json()["code"] for answer in answers.values()} == {"archive.object-damaged"}
    for path, accept in ASKED.items():
        assert fresh.get(places[1] + path.partition("#")[0], accept).status_code == 200
