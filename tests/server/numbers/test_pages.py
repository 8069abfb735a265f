"""The pages of numbers: a hospital sees its own, the province all, and neither sees a patient."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from tests.engine.making import BRUNO, FIRST, ct, pet, uid_of
from tests.server.conftest import serving

from bingcheng.archive import schema
from bingcheng.archive.people.hospital import add_spelling
from bingcheng.engine.numbers import keep_numbers
from bingcheng.engine.run import Options, assess
from bingcheng.engine.view import assessment

STUDIES = [uid_of("study", name) for name in ("anna-1", "anna-2", "bruno-ct", "bruno-1")]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Two hospitals with two exams each; the numbers are worked out."""
    folder = tmp_path_factory.mktemp("house")
    ct(folder / "1")
    ct(folder / "2", name="anna-2", at=FIRST + timedelta(days=56))
    ct(folder / "3", name="bruno-ct", patient=BRUNO, site="South Hospital")
    pet(folder / "4")
    served = serving(folder / "workspace")
    with served.site.workspace.writing() as connection:
        add_spelling(connection, served.north, "North Hospital")
        add_spelling(connection, served.south, "South Hospital")
    assess([folder / name for name in "1234"], served.site.workspace, Options(workers=1), lambda *_: None)
    keep_numbers(served.site.workspace, assessment(served.site.workspace), served.clock())
    yield served
    served.site.close()


def get(served, who, path):
    return served.browser(who).get(path, headers={"accept": "text/html"})


def test_a_hospital_sees_its_own_numbers(house):
    shown = get(house, "physicist", "/hospital")
    assert shown.status_code == 200
    assert "North Hospital" in shown.text
    assert "South Hospital" not in shown.text
    assert "What to change first" in shown.text


def test_the_province_sees_all_hospitals(house):
    shown = get(house, "province", "/province")
    assert shown.status_code == 200
    assert "North Hospital" in shown.text
    assert "South Hospital" in shown.text
    assert "Side by side" in shown.text
    assert get(house, "province", "/hospital").headers["location"] == "/province"


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("province", "/province"),
        ("physicist", "/hospital"),
        ("site-admin", "/hospital"),
        ("province", "/exports/province/criteria.csv"),
    ],
)
def test_no_patient_is_in_the_numbers_under_any_name(house, who, path):
    shown = get(house, who, path).text
    with house.site.workspace.reading() as connection:
        identities = connection.execute(schema.identity.select()).all()
    for row in identities:
        assert row.patient not in shown
        assert row.patient_id not in shown
        assert (row.name or "-").split("^")[0] not in shown
    assert not [uid for uid in STUDIES if uid in shown]


@pytest.mark.parametrize("who", ["physicist", "site-admin", "radiologist"])
def test_a_hospital_does_not_see_the_province(house, who):
    assert get(house, who, "/province").status_code == 403
    assert get(house, who, "/exports/province/criteria.csv").status_code == 403


@pytest.mark.parametrize("who", ["guest", "operator"])
def test_who_has_no_right_to_numbers_sees_none(house, who):
    assert get(house, who, "/hospital").status_code == 403
    assert get(house, who, "/province").status_code == 403


def test_tables_hold_the_hospitals_that_may_be_seen(house):
    own = rows(get(house, "physicist", "/exports/hospital/criteria.csv"))
    every = rows(get(house, "province", "/exports/province/criteria.csv"))
    assert {row["hospital"] for row in own} == {"North Hospital"}
    assert {row["hospital"] for row in every} == {"North Hospital", "South Hospital"}
    assert sum(int(row["met"]) + int(row["broken"]) + int(row["open"]) for row in own) > 0


def test_a_new_installation_says_what_will_stand_here(served):
    assert "has been assessed yet" in get(served, "physicist", "/hospital").text
    assert "has been assessed yet" in get(served, "province", "/province").text


def rows(answer):
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
