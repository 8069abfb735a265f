"""The page of pictures that wait: what is marked is kept as it was meant, or refused without being lost."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image
from tests.archive.deidentify.making import read, written
from tests.server.cases.test_cases import HTML
from tests.web import burned_in
from tests.web.masking import LETTERS

from bingcheng.archive.cases.case import Written, make_case
from bingcheng.archive.cases.pictures import PictureDecision, pictures
from bingcheng.archive.cases.preparing import prepare
from bingcheng.archive.cases.selection import Chosen, choose, offered
from bingcheng.archive.objects.received import Origin
from bingcheng.server.cases.pictures import _regions

SMALL, LARGE = burned_in.two_sizes()
FILM = burned_in.film()


def drafted_of(served, count):
    """A draft of all that is there, of which so many pictures wait."""
    site = served.site
    with site.workspace.writing() as connection:
        author, written = served.people["radiologist"], Written(title="A liver")
        number = make_case(
            connection, hospital=served.north, author=author, profile="teaching", written=written, now=served.clock()
        )
        series = offered(connection, served.north, [burned_in.STUDY])
        chosen = [Chosen(study_uid=one.study_uid, series_uid=one.series_uid) for one in series]
        choose(connection, number, served.north, chosen)
    assert prepare(site.workspace, site.objects, number).waiting == count
    return number


@pytest.fixture
def waiting(served):
    """A draft with a film and two pictures of two sizes in one series, which all wait."""
    site = served.site
    for one in (SMALL, LARGE, FILM):
        site.objects.receive(one.data, space=f"hospital/{served.north}", origin=Origin(kind="import", peer="test"))
    return drafted_of(served, 3)


def kept(served, number):
    with served.site.workspace.reading() as connection:
        return {one.sop_uid: one for one in pictures(connection, number)}


def sent(one, regions, **more):
    return {"sop_uid": one.uid, "decision": "show", "allowed": "text", "regions": regions, **more}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("-20, 0, 40, 10", "a region is x, y, width and height"),
        ("1.5, 0, 40, 10", "a region is x, y, width and height"),
        ("1234567, 0, 40, 10", "a region is x, y, width and height"),
        ("0, 0, 40, 10, 5", "a region is x, y, width and height"),
        ("0, 0, 0, 10", "a region is x, y, width and height"),
        ("left, 0, 40, 10", "a region is x, y, width and height"),
        ("0, 0, 40, 10\n320, 0, 40, 10", "a region lies outside the picture, which has 320 columns and 240 rows"),
        ("0, 240, 40, 10", "a region lies outside the picture"),
    ],
)
def test_what_is_no_region_of_the_picture_is_refused_and_stands_in_the_form_again(served, waiting, words, code):
    client = served.browser("radiologist")
    answer = client.post(f"/cases/{waiting}/pictures", data=sent(SMALL, words), headers=HTML)
    assert answer.status_code == 400
    assert code in answer.text
    assert words in answer.text
    assert kept(served, waiting)[SMALL.uid].decision is PictureDecision.WAITING


def test_regions_are_read_as_people_write_them():
    for words in ("1, 2, 3, 4", " 1 2 3 4 ", "1，2，3，4", "1,2,3,4;\n", "1, 2, 3, 4,"):
        ((one),) = _regions(words)
        assert (one.x, one.y, one.width, one.height) == (1, 2, 3, 4)


@pytest.mark.parametrize("regions", ["16, 12, 200, 20", ""])
def test_a_region_goes_to_no_picture_of_another_size_and_a_clean_one_may_be_of_any(served, waiting, regions):
    client = served.browser("radiologist")
    path = f"/cases/{waiting}/pictures"
    assert client.post(path, data=sent(SMALL, regions, whole_series="1")).status_code == 303
    found = kept(served, waiting)
    assert found[SMALL.uid].decision is PictureDecision.SHOW
    other = PictureDecision.WAITING if regions else PictureDecision.SHOW
    assert found[LARGE.uid].decision is other
    assert found[FILM.uid].decision is PictureDecision.WAITING, "of another series"


def test_who_looked_before_somebody_else_decided_is_told_and_may_decide_otherwise(served, waiting):
    client, path = served.browser("radiologist"), f"/cases/{waiting}/pictures"
    seen = kept(served, waiting)[SMALL.uid].standing
    assert f'name="seen" value="{seen}"' in client.get(path, headers=HTML).text
    assert client.post(path, data=sent(SMALL, "1, 2, 3, 4", seen=seen)).status_code == 303
    assert client.post(path, data=sent(SMALL, "1, 2, 3, 4", seen=seen)).status_code == 303, "pressed twice"
    for data in (sent(SMALL, "5, 6, 7, 8", seen=seen), {**sent(SMALL, "", seen=seen), "decision": "leave-out"}):
        answer = client.post(path, data=data, headers=HTML)
        assert answer.status_code == 400
        assert "somebody else decided" in answer.text
        assert "Kept so far: 1, 2, 3, 4" in answer.text
    now = kept(served, waiting)[SMALL.uid].standing
    assert client.post(path, data=sent(SMALL, "5, 6, 7, 8", seen=now)).status_code == 303
    assert [one.x for one in kept(served, waiting)[SMALL.uid].regions] == [5]


def test_after_a_decision_the_page_goes_on_at_the_next_that_waits(served, waiting):
    client, path = served.browser("radiologist"), f"/cases/{waiting}/pictures"
    order = re.findall(r'name="sop_uid" value="([^"]+)"', client.get(path, headers=HTML).text)
    by_uid = {one.uid: one for one in (SMALL, LARGE, FILM)}
    answers = [client.post(path, data=sent(by_uid[uid], "")) for uid in (order[1], order[2], order[0])]
    ends = [answer.headers["location"].partition("#")[2] for answer in answers]
    assert ends == ["p-3", "p-1", ""]


def test_each_frame_is_a_picture_of_its_own_size_and_what_is_no_frame_is_not_there(served, waiting):
    client, path = served.browser("radiologist"), f"/cases/{waiting}/pictures/{FILM.uid}/frames"
    bright = {}
    for frame in ("all", "darkest", "1", str(burned_in.LATE_FRAME + 1)):
        picture = np.asarray(Image.open(io.BytesIO(client.get(f"{path}/{frame}").content)))
        assert picture.shape[:2] == (FILM.rows, FILM.columns)
        left, top, right, bottom = FILM.box
        bright[frame] = (picture[top:bottom, left:right] >= 250).mean()
    assert bright["1"] < LETTERS < min(bright["all"], bright[str(burned_in.LATE_FRAME + 1)])
    for wrong in ("0", "-1", "1.5", "x", "9999999", "%00"):
        assert client.get(f"{path}/{wrong}").status_code == 404
    assert client.get(f"{path}/61").status_code == 400
    for role in ("other-radiologist", "guest"):
        assert served.browser(role).get(f"{path}/1").status_code in (403, 404)


def test_nobody_confirms_a_picture_that_can_not_be_shown(served):
    site, dataset = served.site, read(SMALL.data)
    dataset.PixelData = dataset.PixelData[:100]
    site.objects.receive(written(dataset), space=f"hospital/{served.north}", origin=Origin(kind="import", peer="test"))
    number = drafted_of(served, 1)
    client, path = served.browser("radiologist"), f"/cases/{number}/pictures"
    answer = client.post(path, data=sent(SMALL, ""), headers=HTML)
    assert answer.status_code == 400
    assert "can&#39;t be decoded" in answer.text
    assert client.post(path, data={**sent(SMALL, ""), "decision": "leave-out"}).status_code == 303
