"""Whatever stands in an address, it asks for a page that there is; and a page says which part of its list it shows."""

from __future__ import annotations

import pytest
from tests.archive.conftest import record
from tests.server.follow_up.conftest import ANNA, EARLIER, LATER, exam, propose

from bingcheng.archive.cases.case import CaseStatus, Written, make_case, set_status
from bingcheng.archive.store import save_exam
from bingcheng.dicom.exam import Patient
from bingcheng.server.exams.patient import MOST
from bingcheng.server.pages.paging import page_asked, page_count

LISTS = ("/worklist", "/patients", "/lesions", "/cases")


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1", 1),
        ("12", 12),
        ("999999", 999_999),
        ("0", 1),
        ("", 1),
        ("-3", 1),
        ("two", 1),
        ("1000000", 1),
        ("9" * 5000, 1),
    ],
)
def test_a_number_of_a_page_or_the_first(written, number):
    assert page_asked(written) == number


@pytest.mark.parametrize(("total", "count"), [(0, 1), (1, 1), (50, 1), (51, 2), (100, 2), (101, 3)])
def test_pages_are_as_many_as_are_needed_and_one_at_least(total, count):
    assert page_count(total, 50) == count


@pytest.fixture
def reader(served):
    """The browser of who sees lists of a few more exams, patients and cases than stand on a page; one of lesions."""
    workspace, now = served.site.workspace, served.clock()
    for number in range(MOST + 1):
        patient = Patient(patient_id=f"K-{number + 2}", issuer=None, name=f"Doe^{number}", birth_date="19600101")
        save_exam(workspace, record(f"1.2.4.{number}", patient=patient, series=0, measures=0))
    for uid, lesions in (
        (EARLIER, {"liver": 20.0, "left": 26.0}),
        (LATER, {"a": 30.0, "b": 13.0, "c": 13.0, "e": 14.0}),
    ):
        save_exam(workspace, exam(uid, now, lesions, ANNA))
    propose(workspace)
    with workspace.writing() as connection:
        for number in range(MOST + 1):
            made = {"hospital": served.north, "author": served.people["radiologist"], "profile": "teaching"}
            case = make_case(connection, **made, written=Written(title=f"Case {number}"), now=now)
            set_status(connection, case, CaseStatus.PUBLISHED, now)
    browser = served.browser("radiologist")
    browser.headers["accept"] = "text/html"
    return browser


def test_a_page_behind_the_last_leads_to_the_last_and_does_not_say_that_there_is_nothing(reader):
    for path in LISTS:
        answer = reader.get(f"{path}?words=&page_number=99999")
        assert answer.status_code == 303, path
        shown = reader.get(answer.headers["location"])
        assert shown.status_code == 200, path
        assert 'class="empty"' not in shown.text, path


def test_each_long_list_says_where_one_is(reader):
    for path, total in (("/worklist", MOST + 3), ("/patients", MOST + 2), ("/cases", MOST + 1)):
        first = reader.get(path).text
        most = int(first.partition("1 to ")[2].split(" of ")[0])
        assert f"1 to {most} of {total}" in first, path
        last = reader.get(f"{path}?page_number={page_count(total, most)}").text
        assert f"to {total} of {total}" in last, path
        assert 'rel="next"' in first
        assert 'rel="prev"' in last
        assert 'rel="next"' not in last
