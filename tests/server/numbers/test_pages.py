"""The pages of numbers: a hospital sees its own, the province all, and neither sees a patient."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.archive.conftest import record
from tests.archive.test_worklist import finding
from tests.compare.dose_records import record as dose
from tests.engine.making import BRUNO, FIRST, ct, pet, uid_of
from tests.server.conftest import serving

from bingcheng.archive import schema
from bingcheng.archive.numbers import numbers, save_numbers
from bingcheng.archive.people.hospital import add_spelling
from bingcheng.archive.records import Judged
from bingcheng.archive.store import save_exam, save_judged
from bingcheng.compare.dose_overview import dose_overview
from bingcheng.compare.dose_published import dose_rules
from bingcheng.core.finding import Outcome
from bingcheng.engine.numbers import keep_numbers, recount
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
    served.close()


def get(served, who, path):
    return served.browser(who).get(path, headers={"accept": "text/html"})


@pytest.fixture(scope="module")
def larger(tmp_path_factory):
    """A hospital with six exams, and one with a single one; both broke the same criterion once."""
    served = serving(tmp_path_factory.mktemp("larger") / "workspace")
    for site, count in (("North", 6), ("South", 1), ("Dr Doe's practice", 7)):
        for number in range(count):
            uid = f"1.2.{sum(map(ord, site))}.{number}"
            save_exam(served.site.workspace, record(uid, site=site, series=0))
            with served.site.workspace.writing() as connection:
                outcome = Outcome.FAIL if number == 0 else Outcome.PASS
                save_judged(connection, {uid: Judged(digest=uid, findings=(finding(outcome),))})
    yield served
    served.close()


@pytest.fixture(scope="module")
def dosed(tmp_path_factory):
    """CT doses of ten hospitals, of which North's are above the reference level, and of South with few exams."""
    served = serving(tmp_path_factory.mktemp("dosed") / "workspace")
    workspace = served.site.workspace
    for site in ("North", "South"):
        for number in range(5):
            save_exam(workspace, record(f"1.2.{len(site)}.{ord(site[0])}.{number}", site=site, series=0))
    doses = {"North": [30.0] * 25, "South": [10.0] * 3}
    doses |= {f"H{number}": [10.0 + number] * 25 for number in range(1, 10)}
    made = tuple(dose(site, value, exam=n) for site, values in doses.items() for n, value in enumerate(values))
    overview = dose_overview(made, dose_rules(), authorities=())
    seen = replace(assessment(workspace, images=False), dose=overview)
    keep_numbers(workspace, seen, served.clock())
    yield served
    served.close()


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
    assert "No scanner has 5 exams of one kind yet." in shown.text
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
    assert every == [], "of two exams a hospital nothing is told"
    assert sum(int(row["met"]) + int(row["broken"]) + int(row["open"]) for row in own) > 0


def test_the_province_is_told_no_small_cell_and_no_name_that_nobody_claimed(larger):
    shown = get(larger, "province", "/province").text
    assert "more than 5 exams" in shown
    assert "fewer than 5 exams" in shown
    assert "Doe" not in shown
    assert "7 exams name a hospital that is not registered here" in shown
    for table in ("criteria", "months", "comparison", "doses"):
        told = rows(get(larger, "province", f"/exports/province/{table}.csv"))
        assert {row["hospital"] for row in told} <= {"North Hospital"}
        assert not {"1", "2", "3", "4"} & {cell for row in told for cell in row.values()}


def test_a_hospital_is_told_its_own_numbers_whole(larger):
    (criterion,) = rows(get(larger, "physicist", "/exports/hospital/criteria.csv"))
    assert (criterion["met"], criterion["broken"]) == ("5", "1")
    (month,) = rows(get(larger, "other-physicist", "/exports/hospital/months.csv"))
    assert (month["hospital"], month["broken"]) == ("South Hospital", "1")


def test_kept_numbers_tell_the_same_as_counting_now(house):
    def told():
        every = (get(house, "physicist", f"/exports/hospital/{table}.csv").content for table in ("criteria", "months"))
        return list(every)

    kept = told()
    with house.site.workspace.writing() as connection:
        made = numbers(connection)
        save_numbers(connection, replace(made, months=None, counts=None))
    counted = told()
    with house.site.workspace.writing() as connection:
        save_numbers(connection, made)
    assert kept == counted


def test_judging_again_counts_again(larger):
    workspace, now = larger.site.workspace, larger.clock()
    keep_numbers(workspace, assessment(workspace, images=False), now)
    uid = f"1.2.{sum(map(ord, 'South'))}.0"
    with workspace.writing() as connection:
        save_judged(connection, {uid: Judged(digest="anew", findings=(finding(Outcome.PASS),))})
    recount(workspace)
    (month,) = rows(get(larger, "other-physicist", "/exports/hospital/months.csv"))
    assert (month["as_agreed"], month["broken"]) == ("1", "0")


def test_a_hospital_sees_its_doses_beside_the_reference_levels(dosed):
    shown = get(dosed, "physicist", "/hospital").text
    assert "CT dose" in shown
    assert "25 of 25 CT exams state a dose" in shown
    assert "Above the reference level" in shown
    table = rows(get(dosed, "physicist", "/exports/hospital/doses.csv"))
    assert {row["hospital"] for row in table} == {"North Hospital"}
    own = next(row for row in table if row["quantity"] == "CTDIvol" and row["level_of"] == "own")
    assert (own["verdict"], own["unit"], float(own["median"])) == ("above the reference level", "mGy", 30.0)
    told = rows(get(dosed, "province", "/exports/province/doses.csv"))
    assert {row["hospital"] for row in told} == {"North Hospital"}, "South has three exams"


def test_an_exam_is_judged_by_the_levels_of_all_hospitals_and_names_none_of_them(dosed):
    uid = "1.2.77"
    own = replace(dose("North", 30.0), exam_uid=uid)
    save_exam(dosed.site.workspace, replace(record(uid, site="North", series=0), doses=(own,)))
    shown = get(dosed, "radiologist", f"/exam/{uid}").text
    assert "is above the diagnostic reference level" in shown
    told = get(dosed, "radiologist", f"/exports/exam/{uid}/exam.json").json()
    assert (told["comparison"], told["dose"]["levels"], told["dose"]["sites"]) == ([], [], [])
    assert "South" not in shown


def test_a_table_that_does_not_exist_is_not_found(house):
    assert get(house, "physicist", "/exports/hospital/patients.csv").status_code == 404
    assert get(house, "province", "/exports/province/patients.csv").status_code == 404


def test_a_new_installation_says_what_will_stand_here(served):
    assert "has been assessed yet" in get(served, "physicist", "/hospital").text
    assert "has been assessed yet" in get(served, "province", "/province").text


def rows(answer):
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_the_province_is_offered_no_hospital_of_its_own(house):
    assert '<a href="/hospital"' not in house.browser("province").get("/cases").text
    assert '<a href="/province"' in house.browser("province").get("/cases").text
    assert '<a href="/hospital"' in house.browser("physicist").get("/cases").text
