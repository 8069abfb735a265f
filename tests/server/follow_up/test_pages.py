"""A reader confirms and corrects which lesion is which; nobody else does, and everything follows at once."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete
from tests.archive.conftest import MONDAY
from tests.server.follow_up.conftest import AFTER, ANNA, BEFORE, EARLIER, LATER, LATEST, exam, propose

from bingcheng.archive import schema
from bingcheng.archive.audit.trail import Asked, events
from bingcheng.archive.matchings import decisions
from bingcheng.archive.people.hospital import set_issuer
from bingcheng.archive.store import save_exam
from bingcheng.dicom.exam import Patient
from bingcheng.engine.view import assessment
from bingcheng.outputs.follow_up.words import waiting


def get(house, who="radiologist", query=""):
    return house.served.browser(who).get(house.page + query, headers={"accept": "text/html"})


def mark(text):
    return re.search(r'name="mark" value="([^"]+)"', text)[1]


def say(house, step, before=(), after=(), *, who="radiologist", follow=True, **more):
    """Send a row's form as its page gives it; the answer, and the page that it leads to."""
    browser = house.served.browser(who)
    shown = browser.get(house.page, headers={"accept": "text/html"})
    known = mark(shown.text) if 'name="mark"' in shown.text else ""
    form = {"step": step, "earlier": EARLIER, "later": LATER, "mark": known, "before": before, "after": after} | more
    answer = browser.post(house.page, data=form, headers={"accept": "text/html"})
    if follow and answer.status_code == 303:
        return browser.get(answer.headers["location"], headers={"accept": "text/html"})
    return answer


def kept(house, *, undone=False):
    with house.served.site.workspace.reading() as connection:
        return decisions(connection, undone=undone)


def seen(house):
    return assessment(house.served.site.workspace, images=False)


def links(house):
    return {(v.link.kind.value, v.link.before, v.link.after) for one in seen(house).follow_up for v in one.links}


def unsettled(house):
    """How many links wait for a reader, in what verdicts and responses are made from."""
    return waiting(seen(house).follow_up)


def test_both_exams_stand_side_by_side_with_what_holds_how_surely_and_why(house):
    page = get(house)
    assert page.status_code == 200
    for words in ("2 links need a reader", "70 % sure", "They lie 3 mm apart", "Confirm: pieces of one lesion", "26"):
        assert words in page.text, words
    assert page.text.count('class="slice') >= 6
    first, calm = page.text.index("70 % sure"), page.text.index("98 % sure")
    assert first < calm, "what needs a reader comes first"
    patient = house.served.browser("radiologist").get(house.page.removesuffix("/lesions"))
    assert patient.text.count(f'href="{house.page}"') == 3, "the button, the timeline, the list of links"
    assert house.page in house.served.browser("radiologist").get(f"/exam/{LATER}").text


def test_what_is_confirmed_is_judged_from_then_on_and_can_be_taken_back(house):
    assert unsettled(house) == 2
    page = say(house, "confirm", ["left"], ["b", "c"], why="two  pieces\nof it")
    assert "left → b + c: one lesion" in page.text
    assert "Decided by Radiologist on" in page.text
    assert unsettled(house) == 1
    assert "1 link needs a reader" in page.text
    (made,) = kept(house)
    assert (made.edit.by, made.edit.why, made.edit.before, made.edit.after) == (
        "Radiologist",
        "two pieces of it",
        ("left",),
        ("b", "c"),
    )
    undone = say(house, "take-back", number=str(made.number), who="physicist")
    assert "Taken back" in undone.text
    assert "taken back by Physicist on" in undone.text
    assert unsettled(house) == 2
    assert kept(house) == ()
    assert kept(house, undone=True)[0].undone_by == "Physicist"


@pytest.mark.parametrize(
    ("step", "before", "after", "more", "expected"),
    [
        ("apart", ["liver"], ["a"], {}, {("vanished", ("liver",), ()), ("new", (), ("a",))}),
        ("confirm", [], ["e"], {}, {("new", (), ("e",))}),
        (
            "link",
            ["left"],
            ["b", "c"],
            {"chosen_before": ["left"], "chosen_after": ["b"]},
            {("same", ("left",), ("b",)), ("new", (), ("c",))},
        ),
        (
            "link",
            [],
            ["e"],
            {"chosen_before": ["liver"], "chosen_after": ["a", "e"]},
            {("split", ("liver",), ("a", "e"))},
        ),
    ],
)
def test_a_wrong_link_is_corrected(house, step, before, after, more, expected):
    assert say(house, step, before, after, **more).status_code == 200
    assert expected <= links(house)


def test_a_lesion_can_be_called_vanished_where_nothing_else_is_known_of_it(house):
    workspace = house.served.site.workspace
    save_exam(workspace, exam(LATEST, MONDAY + timedelta(days=112), {"a": 31.0, "x": 9.0}))
    page = get(house)
    assert "Not known" in page.text
    assert "by their common name" in page.text
    answer = say(house, "confirm", ["b"], [], earlier=LATER, later=LATEST, mark="0-0")
    assert "b: vanished" in answer.text
    (made,) = kept(house)
    assert (made.earlier_uid, made.later_uid) == (LATER, LATEST)
    assert unsettled(house) == 2


def test_what_waits_for_nobody_in_exams_of_before_is_folded_and_the_lesions_of_a_row_are_ticked_on_wish(house):
    """Of a patient with many exams not all pictures are embedded."""
    workspace = house.served.site.workspace
    save_exam(workspace, exam("1.2.3.0", MONDAY - timedelta(days=56), BEFORE))
    folded, shown = get(house), get(house, query="?pair=1")
    assert "Show its 2 links" in folded.text
    assert shown.text.count('class="slice') > folded.text.count('class="slice')
    ticked = get(house, query="?pair=2&row=1").text
    assert re.findall(r'name="chosen_\w+" value="(\w+)" checked', ticked) == ["left", "b", "c"]
    assert "checked" not in folded.text
    assert get(house, query="?pair=x&row=99999999999&done=-1").status_code == 200


def test_who_decides_on_what_has_changed_since_is_told_so(house):
    old = mark(get(house).text)
    say(house, "confirm", ["left"], ["b", "c"])
    answer = say(house, "apart", ["left"], ["b", "c"], who="physicist", mark=old)
    assert answer.status_code == 400
    assert "radiologist decided about lesions of these two exams" in answer.text.lower()
    assert len(kept(house)) == 1


@pytest.mark.parametrize(
    ("step", "form"),
    [
        ("", {}),
        ("confirm", {}),
        ("link", {"chosen_before": ["left"]}),
        ("link", {"chosen_before": ["left"], "chosen_after": ["nobody"]}),
        ("confirm", {"before": ["left"], "after": ["b"], "earlier": "1.9", "later": "1.8"}),
        ("apart", {"before": ["left"], "after": ["a"]}),
        ("take-back", {"number": "77"}),
        ("take-back", {"number": "x"}),
    ],
)
def test_a_form_that_says_nothing_is_answered_with_what_to_do_and_keeps_nothing(house, step, form):
    answer = say(house, step, **form)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert kept(house, undone=True) == ()


def test_a_decision_about_a_lesion_that_is_gone_is_refused(house):
    with house.served.site.workspace.writing() as connection:
        connection.execute(delete(schema.lesion).where(schema.lesion.c.lesion == "e"))
    answer = say(house, "confirm", [], ["e"])
    assert answer.status_code == 400
    assert "is no longer there" in answer.text


def test_only_readers_of_the_own_hospital_decide_and_all_is_in_the_trail(house):
    for who, status in (("technologist", 403), ("other-radiologist", 404), ("province", 403), ("site-admin", 403)):
        assert say(house, "confirm", ["left"], ["b", "c"], who=who).status_code == status, who
    for who, status in (("technologist", 200), ("other-radiologist", 404), ("province", 403), ("operator", 403)):
        assert get(house, who).status_code == status, who
    assert f'action="{house.page}"' not in get(house, "technologist").text
    assert kept(house) == ()
    say(house, "confirm", ["left"], ["b", "c"], who="physicist", why="seen in both")
    house.served.application.state.recorder.flush()
    with house.served.site.workspace.reading() as connection:
        found = [one.event for one in events(connection, Asked()) if one.event.what == "link-lesions"]
    made = [one for one in found if one.outcome == 0]
    assert [(one.login, one.patient, one.studies) for one in made] == [("physicist", house.patient, (EARLIER, LATER))]
    assert {one.login for one in found if one.outcome} == {
        "technologist",
        "other-radiologist",
        "province",
        "site-admin",
    }
    assert "seen in both" not in repr(found)


def test_an_exam_of_another_hospital_counts_for_nothing(house):
    """The same person, by number, in another hospital: its exam is no neighbour here and is not shown."""
    save_exam(house.served.site.workspace, exam(LATEST, MONDAY + timedelta(days=7), {"liver": 9.0}, site="South"))
    say(house, "confirm", [], ["e"])
    assert {(one.earlier_uid, one.later_uid) for one in kept(house)} == {(EARLIER, LATER)}
    assert LATEST not in get(house).text


def test_a_patient_with_one_exam_has_nothing_to_compare(house):
    other = type(ANNA)(patient_id="K-2", issuer=None, name="Solo^Sam", birth_date=None)
    save_exam(house.served.site.workspace, exam(LATEST, MONDAY, {"liver": 9.0}, patient=other))
    pseudonym = house.served.site.workspace.pseudonym(other, "North", LATEST)
    page = house.served.browser("radiologist").get(f"/patient/{pseudonym}/lesions")
    assert "There is nothing to compare yet." in page.text


def test_the_hospitals_patients_that_wait_stand_in_one_list_and_lead_to_each_other(house):
    """Anna's links wait; so do Bo's, whose exam is later, and those of a patient of another hospital."""
    workspace = house.served.site.workspace
    people = {"K-2": ("Bo^Li", "North", 100), "K-3": ("South^Sam", "South", 200)}
    known = {}
    for place, (number, (name, site, day)) in enumerate(people.items(), start=1):
        patient = Patient(patient_id=number, issuer=None, name=name, birth_date=None)
        uids = [f"1.7.{place}.{side}" for side in (1, 2)]
        save_exam(workspace, exam(uids[0], MONDAY, BEFORE, patient=patient, site=site))
        save_exam(workspace, exam(uids[1], MONDAY + timedelta(days=day), AFTER, patient=patient, site=site))
        propose(workspace, *uids)
        known[number] = workspace.pseudonym(patient, site, uids[0])
    reader = house.served.browser("radiologist")
    listed = reader.get("/lesions").text
    assert "In 2 patients it is not sure which lesion is which." in listed
    assert listed.index("Bo Li") < listed.index("Quellberg Anna"), "the latest exam first"
    assert "Sam" not in listed
    assert "In 2 patients it waits for you which lesion is which" in reader.get("/worklist").text
    for words, there in (("quell", 1), ("K-2 bo", 1), ("nobody", 0)):
        found = reader.get(f"/lesions?words={words}").text
        assert (found.count("data-row>"), "No patient fits." in found) == (there, not there)
    assert reader.get("/exports/lesions.csv").text.splitlines()[1:] == [
        f"{known['K-2']},Bo Li,K-2,2,{MONDAY + timedelta(days=100):%Y-%m-%d %H:%M}",
        f"{house.patient},Quellberg Anna,K-1,2,{MONDAY + timedelta(days=56):%Y-%m-%d %H:%M}",
    ]
    assert f'rel="next" href="/patient/{known["K-2"]}/lesions"' in get(house).text, "behind the last comes the first"
    assert f'rel="next" href="{house.page}"' in reader.get(f"/patient/{known['K-2']}/lesions").text
    say(house, "confirm", ["left"], ["b", "c"])
    assert "In 2 patients" in reader.get("/lesions").text
    page = say(house, "confirm", [], ["e"])
    assert f'rel="next" href="/patient/{known["K-2"]}/lesions"' in page.text
    listed = reader.get("/lesions").text
    assert "In 1 patient it is not sure" in listed
    assert "Quellberg" not in listed
    assert reader.get("/lesions?page_number=2").headers["location"] == "/lesions?page_number=1"
    for who, status in (("physicist", 200), ("technologist", 403), ("site-admin", 403), ("province", 403)):
        assert house.served.browser(who).get("/lesions").status_code == status
        assert house.served.browser(who).get("/exports/lesions.csv").status_code == status
    assert "it waits for you" not in house.served.browser("technologist").get("/worklist").text
    empty = house.served.browser("other-radiologist")
    assert "South Sam" in empty.get("/lesions").text
    save_exam(workspace, exam("1.7.2.2", MONDAY, AFTER, site="Nowhere"))
    assert "No link between lesions needs a reader." in empty.get("/lesions").text


def test_decisions_stay_when_exams_come_to_another_patient_and_hold_again_when_they_come_back(house):
    """The later exam states the issuer, the earlier one none: one patient as long as that is the hospital's."""
    workspace, served = house.served.site.workspace, house.served

    def issuer(name):
        with workspace.writing() as connection:
            return set_issuer(connection, served.north, name)

    stated = replace(ANNA, issuer="BAIHE")
    save_exam(workspace, exam(LATER, MONDAY + timedelta(days=56), AFTER, patient=stated))
    assert issuer("BAIHE").joined == 1
    house.patient = workspace.pseudonym(stated, "North", LATER)
    say(house, "confirm", ["left"], ["b", "c"])
    held = links(house)
    assert ("split", ("left",), ("b", "c")) in held
    assert issuer("").parted == 1
    assert links(house) == set()
    assert len(kept(house)) == 1, "nothing that a person decided is lost"
    (refusal,) = (one for view in seen(house).exams for one in view.refusals if "decision" in one.code)
    assert refusal.code == "engine.lesion-decision-lost"
    assert "No link between lesions needs a reader." in served.browser("radiologist").get("/lesions").text
    assert issuer("BAIHE").parted == 0
    assert links(house) == held
