"""A case that came from another installation, on the pages of the hospital that received it."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import update
from tests.archive.pairing.making import NOON, deidentification, image, pointed
from tests.server.pairing.asking import paired

from bingcheng.archive.authorisation import case_space
from bingcheng.archive.objects.header import header
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.pairing import case_exchange, peers, tables
from bingcheng.archive.pairing.case_room import CaseBundle
from bingcheng.archive.pairing.manifest import Exam
from bingcheng.archive.pairing.offering import PURPOSE, manifest_of
from bingcheng.archive.pairing.permission import Permission
from bingcheng.archive.pairing.receiving import Receiving

HTML = {"accept": "text/html"}
ATTACK = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
IMAGES = [image(number) for number in range(3)]


@pytest.fixture
def came(served) -> int:
    """The number of a case that came, of which the second image is pointed at in words that are an attack."""
    south = paired(served)
    with served.site.workspace.writing() as connection:
        peers.change(connection, south.number, address="https://south.example", may=Permission, hospital=served.north)
        connection.execute(update(tables.peer).values(confirmed_by=served.people["operator"]))
    objects = served.site.objects
    for data in IMAGES:
        objects.receive(data, space=case_space(900), origin=Origin(kind="import", peer="test"))
    study = header(memoryview(IMAGES[0])).study_uid
    listed = objects.instances_of([case_space(900)], study)
    said = pointed([IMAGES[1]], x=10.0, y=20.0, note=ATTACK).model_copy(
        update={"title": ATTACK, "exams": (Exam(number=1, study_uid=study, modalities="CT", instances=3),)}
    )
    bundle = CaseBundle(
        case=1, version=1, space=case_space(900), content=said, deidentification=deidentification(len(IMAGES))
    )
    written = manifest_of(bundle, listed, south.key.identifier).written()
    with served.site.workspace.reading() as connection:
        peer = peers.peer(connection, south.number)
    here = Receiving(workspace=served.site.workspace, objects=objects, room=case_exchange, peer=peer)
    found = here.begin(written, south.key.sign(PURPOSE + written), NOON)
    for one, data in ((one, objects.path(one).read_bytes()) for one in listed):
        here.add(found, one.sha256, 0, data)
    return here.complete(found.name, NOON).case


def test_its_key_images_are_seen_where_it_is_read_and_in_lists(served, came):
    reader = served.browser("radiologist")
    page = reader.get(f"/cases/{came}", headers=HTML).text
    assert "/1.webp" in page
    assert "Key images" in page
    shown = reader.get("/cases", headers=HTML).text
    (picture,) = re.findall(r'<img class="thumbnail" src="([^"]+)"', shown)
    answer = reader.get(picture)
    assert answer.status_code == 303
    drawn = reader.get(answer.headers["location"])
    assert drawn.headers["content-type"] == "image/webp"
    for other in ("other-radiologist", "other-physicist"):
        assert served.browser(other).get(picture).status_code in (403, 404)
        assert served.browser(other).get(answer.headers["location"]).status_code in (403, 404)


@pytest.mark.parametrize("path", ["/cases", "/cases/{}", "/cases/{}/images"])
def test_no_word_of_it_is_more_than_a_word(served, came, path):
    page = served.browser("radiologist").get(path.format(came), headers=HTML).text
    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert "<img src=x" not in page
