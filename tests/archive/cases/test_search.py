"""Cases found by words, facets and measures, among those that the reader may see."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import insert, select, update
from tests.archive.cases.conftest import NOON, inhabited

from bingcheng.archive.cases import tables
from bingcheng.archive.cases.case import CaseStatus, Question, case, change_case, part_hidden
from bingcheng.archive.cases.grants import Audience, Given, grant, spaces_granted
from bingcheng.archive.cases.quiz import answer
from bingcheng.archive.cases.search import Reader, Search, known_measures, search
from bingcheng.archive.cases.unlocking import known_answers, unlock, unlock_answered
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import InputError


def found(two, reader, *, publishes=False, person=None, **asked):
    who = Reader(hospital=reader, publishes=publishes, person=person)
    with two.workspace.reading() as connection:
        return search(connection, who, Search(**asked), NOON)


def numbers(two, **asked):
    return {one.number for one in found(two, two.north, **asked).cases}


def test_others_cases_are_neither_found_nor_counted(two):
    two.measured(two.case(title="Secret", tags=("rare",), body_part="liver"), value=40)
    for asked in ({}, {"words": "secret"}, {"tag": "rare"}, {"query": "organ = liver"}):
        seen = found(two, two.south, **asked)
        assert (seen.total, seen.tags, seen.body_parts, seen.modalities, seen.hospitals) == (0, (), (), (), ())
    with two.workspace.reading() as connection:
        assert known_measures(connection, Reader(hospital=two.south), NOON) == ()


def test_drafts_are_found_by_those_who_publish(two):
    number = two.case(status=CaseStatus.DRAFT)
    assert found(two, two.north).total == 0
    assert [one.number for one in found(two, two.north, publishes=True).cases] == [number]
    assert found(two, two.south, publishes=True).total == 0


def test_a_hospital_that_does_not_want_to_be_named_is_not_found_by_its_name(two):
    number = two.case()
    with two.workspace.writing() as connection:
        grant(connection, Given.CASE, number, Audience.PROVINCE, to=None, by=two.author, now=NOON)
    assert found(two, two.south).total == 1
    assert found(two, two.south, hospital=two.north).total == 0
    assert found(two, two.south, query='hospital = "North Hospital"').total == 0
    assert found(two, two.north, query='hospital = "north hospital"').total == 1


def test_words_are_found_without_case_in_both_languages(two):
    number = two.case(title="肝细胞癌一例", context="Known Cirrhosis", tags=("100%",))
    two.case(title="Lung")
    assert numbers(two, words="肝细胞") == numbers(two, words="cirrhosis 一例") == {number}
    assert numbers(two, words="100%") == {number}
    assert numbers(two, words="%") == {number}, "a wildcard is a character like any other"


def test_an_answer_that_waits_until_it_is_asked_for_finds_no_case(two):
    said = {"diagnosis": "hepatocellular carcinoma", "diagnosis_code": "8170/3", "teaching": "washout"}
    open_, hidden = two.case(**said), two.case(**said, hidden=True, body_part="liver")
    for asked in (
        {"words": "carcinoma"},
        {"words": "washout"},
        {"query": "diagnosis ~ carcinoma"},
        {"query": "diagnosis = 8170/3"},
        {"query": '"washout"'},
    ):
        assert numbers(two, **asked) == {open_}, asked
    assert numbers(two, query="liver") == {hidden}


ANSWER = {
    "diagnosis": "hepatocellular carcinoma",
    "diagnosis_code": "8170/3",
    "teaching": "washout",
    "title": "肝 liver",
}


def test_a_hidden_answer_finds_the_case_for_those_who_know_it_and_for_nobody_else(two):
    question = Question(question="What?", choices=("a", "b"), right=0)
    hidden, other = two.case(**ANSWER, hidden=True, questions=(question,)), two.case(**ANSWER, hidden=True)
    asked = [
        {"words": "carcinoma"},
        {"words": "liver washout"},
        *({"query": one} for one in ("diagnosis = 肝细胞癌", "diagnosis = 8170/3", '"washout" and organ != lung')),
    ]

    def by(person):
        return [{one.number for one in found(two, two.north, person=person, **one).cases} for one in asked]

    assert by(two.author) == [{hidden, other}] * 5
    assert by(two.other) == [set()] * 5
    with two.workspace.writing() as connection:
        unlock(connection, two.other, hidden, NOON)
        unlock(connection, two.other, hidden, NOON)
    assert by(two.other) == [{hidden}] * 5
    assert found(two, two.south, person=two.other, **asked[0]).total == 0, "it opens no case"
    with two.workspace.writing() as connection:
        said = replace(case(connection, hidden).written, hidden=False)
        change_case(connection, hidden, said, person=two.author, now=NOON)
    assert by(None) == [{hidden}] * 5


def test_what_earlier_releases_kept_of_answers_is_known_by_those_who_gave_them_all(two):
    questions = tuple(Question(question=one, choices=("a", "b"), right=0) for one in ("What?", "Where?"))
    number = two.case(**ANSWER, hidden=True, questions=questions)
    with two.workspace.writing() as connection:
        for person, given in ((two.other, questions), (two.author, questions[:1])):
            for one in given:
                answer(connection, number, one, 0, person=person, now=NOON)
        table = tables.shared_case
        connection.execute(update(table).values(words="washout", diagnosis="x", answer_words=None, author=two.other))
        part_hidden(connection)
        assert known_answers(connection, two.author) == frozenset()
        connection.execute(update(table).values(author=two.author))
        unlock_answered(connection)
        assert known_answers(connection, two.other) == {number}
        rows = connection.execute(select(tables.case_unlocked.c.person, tables.case_unlocked.c.at)).all()
    assert rows == [(two.other, NOON)]
    assert numbers(two, words="washout") == set()


def test_what_is_made_of_images_is_no_modality_to_look_for(two):
    number = two.case()
    with two.workspace.writing() as connection:
        row = {"case_id": number, "number": 1, "study_uid": "2.25.1", "day": 0, "instances": 3}
        connection.execute(insert(tables.case_exam), {**row, "modalities": "MR RTSTRUCT SEG SR"})
    assert found(two, two.north).modalities == (("MR", 1),)


def test_an_organ_is_found_by_any_of_its_names_and_its_code(two):
    number = two.case(body_part="Liver")
    two.case(body_part="lung")
    for name in ("liver", "LIVER", "肝", "肝脏", "C22.0"):
        assert numbers(two, query=f"organ = {name}") == {number}, name
    assert number not in numbers(two, query="organ != 肝")


@pytest.mark.parametrize(
    ("query", "hit"),
    [
        ("lesion.longest_diameter > 30 mm", True),
        ("lesion.longest_diameter > 3 cm", True),
        ("lesion.longest_diameter > 3.2 cm", False),
        ("lesion.longest_diameter = 0.032 m", True),
        ("lesion.longest_diameter != 32 mm", False),
        ("lesion.longest_diameter < 33 mm and modality = MR", False),
        ("not lesion.longest_diameter > 33 mm", True),
    ],
)
def test_measures_are_compared_in_any_unit_of_their_kind(two, query, hit):
    number = two.case(modality="CT")
    two.measured(number, value=32.0)
    assert numbers(two, query=query) == ({number} if hit else set())


def test_a_unit_of_another_kind_or_none_is_refused_with_its_place(two):
    two.measured(two.case(), value=32.0)
    for query in ("organ = a or lesion.longest_diameter > 3", "organ = a or lesion.longest_diameter > 3 ml"):
        with pytest.raises(InputError) as refused:
            numbers(two, query=query)
        assert refused.value.reason.facts["position"] == 14
    with pytest.raises(InputError):
        numbers(two, query="lesion.longest_diametre > 3 mm")


def test_a_protocol_is_found_by_its_identifier_or_a_part_of_its_title_however_it_is_written(two):
    number, row = two.case(), {"exam": 1, "passed": 3, "failed": 0, "unknown": 0}
    with two.workspace.writing() as connection:
        connection.execute(
            insert(tables.case_protocol),
            [
                {**row, "case_id": number, "protocol": "prostate_mpmri_pirads21", "outcome": "unknown"},
                {**row, "case_id": number, "protocol": "ours_2026", "outcome": "pass"},
            ],
        )
    for name in ("prostate_mpmri_pirads21", "prostate", "PI-RADS", "pirads", '"multiparametric mri of the prostate"'):
        assert numbers(two, query=f"protocol({name}) = unknown") == {number}, name
    assert numbers(two, query="protocol(pi-rads) = conform") == set(), "unknown is never conform"
    assert numbers(two, query="OURS-conform") == {number}
    assert numbers(two, query="LI-RADS-conform") == set()


def test_facets_count_what_the_reader_may_see(two):
    two.case(body_part="Liver", tags=("a", "b"))
    two.case(body_part="liver", tags=("A",))
    seen = found(two, two.north)
    assert (seen.body_parts, seen.tags) == ((("liver", 2),), (("a", 2), ("b", 1)))
    assert seen.hospitals == ((two.north, "North Hospital", 2),)


def examined(two, number, *modalities):
    """Let the case have an exam of each of these modalities."""
    row = {"case_id": number, "day": 0, "instances": 1}
    rows = [
        {**row, "number": place, "study_uid": f"1.{number}.{place}", "modalities": said}
        for place, said in enumerate(modalities, start=1)
    ]
    with two.workspace.writing() as connection:
        connection.execute(insert(tables.case_exam), rows)


def test_a_case_counts_once_for_each_modality_of_its_exams(two):
    examined(two, two.case(), "CT", "CT PT", "CT")
    examined(two, two.case(), "MR")
    examined(two, two.case(status=CaseStatus.DRAFT), "US")
    two.case()
    assert found(two, two.north).modalities == (("CT", 1), ("MR", 1), ("PT", 1))
    assert found(two, two.north, publishes=True).modalities == (("CT", 1), ("MR", 1), ("PT", 1), ("US", 1))


def test_facets_are_of_all_that_may_be_seen_whatever_is_asked_and_beyond_the_last_page(two):
    first, second = two.case(body_part="liver", tags=("a",)), two.case(body_part="lung")
    with two.workspace.reading() as connection:
        for offset, page in ((0, [second, first]), (1, [first]), (50, [])):
            seen = search(connection, Reader(hospital=two.north), Search(), NOON, offset=offset)
            assert ([one.number for one in seen.cases], seen.total) == (page, 2)
    seen = found(two, two.north, words="nowhere")
    assert (seen.total, seen.cases) == (0, ())
    assert (seen.body_parts, seen.tags) == ((("liver", 1), ("lung", 1)), (("a", 1),))


def test_search_and_grants_work_on_postgresql(tmp_path, postgresql_url):
    workspace = Workspace.open(tmp_path / "workspace", postgresql_url)
    try:
        two = inhabited(workspace)
        number = two.case(title="肝细胞癌", body_part="liver", modality="CT", tags=("a",), show_hospital=True)
        two.measured(number, value=32.0)
        examined(two, number, "CT", "CT PT")
        with workspace.writing() as connection:
            grant(connection, Given.CASE, number, Audience.HOSPITAL, to=two.south, by=two.author, now=NOON)
        query = 'lesion.longest_diameter > 3 cm and organ = 肝 and modality = CT and hospital ~ north and "细胞"'
        seen = found(two, two.south, words="肝", query=query, tag="a")
        assert ([one.number for one in seen.cases], seen.total) == ([number], 1)
        assert (seen.body_parts, seen.tags) == ((("liver", 1),), (("a", 1),))
        assert seen.modalities == (("CT", 1), ("PT", 1))
        assert seen.hospitals == ((two.north, "North Hospital", 1),)
        with workspace.reading() as connection:
            assert spaces_granted(connection, two.south, NOON) == (f"case/{number}",)
            assert spaces_granted(connection, None, NOON) == ()
    finally:
        workspace.close()
