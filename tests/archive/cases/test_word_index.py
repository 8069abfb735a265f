"""Words are found through the index as without it, whoever wrote them and whether or not it has caught up."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from tests.archive.cases.conftest import NOON

from bingcheng.archive.cases import word_index
from bingcheng.archive.cases.case import case, change_case
from bingcheng.archive.cases.search import Reader, Search, search
from bingcheng.archive.cases.tables import shared_case

TEXTS = ("肝细胞癌一例", "Known Cirrhosis, ΑΣ", "100% 强化 👩‍⚕️", "a", "细 胞", 'quo"te AND or*')
letters = st.sampled_from("肝细胞癌一例 aAσΣ%_\"'*👩")


@pytest.fixture
def indexed(two, monkeypatch):
    """The workspace with an index from its first case on, of cases of which none was there before."""
    monkeypatch.setattr(word_index, "WORTH_IT", 1)
    for words in TEXTS:
        two.case(context=words)
    return two


def numbers(two, **asked) -> set[int]:
    with two.workspace.reading() as connection:
        return {one.number for one in search(connection, Reader(hospital=two.north), Search(**asked), NOON).cases}


def waiting(two) -> int:
    with two.workspace.reading() as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM case_grams_stale").scalar()


def written(two) -> dict[int, str]:
    with two.workspace.reading() as connection:
        return {row.id: row.words for row in connection.execute(shared_case.select())}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(letters, min_size=1, max_size=5))
def test_what_is_found_is_what_is_written(indexed, words):
    expected = {
        number for number, text in written(indexed).items() if all(one in text for one in words.casefold().split())
    }
    assert numbers(indexed, words=words) == expected
    assert waiting(indexed) == 0


def test_changed_words_are_found_and_those_before_no_more(indexed):
    number = indexed.case(title="肺结节")
    with indexed.workspace.writing() as connection:
        said = replace(case(connection, number).written, title="脑转移")
        change_case(connection, number, said, person=indexed.author, now=NOON)
    assert (numbers(indexed, words="脑转移"), numbers(indexed, words="肺结节")) == ({number}, set())
    assert number not in numbers(indexed, query='not "脑转"')


def test_what_another_program_wrote_is_found_before_it_is_indexed(indexed):
    table, number = shared_case, indexed.case(title="before")
    with indexed.workspace.writing() as connection:
        connection.execute(update(table).where(table.c.id == number).values(words="胰腺癌"))
    assert waiting(indexed) == 1
    assert (numbers(indexed, words="胰腺"), numbers(indexed, words="before")) == ({number}, set())
    with indexed.workspace.writing() as connection:
        connection.exec_driver_sql("DELETE FROM shared_case WHERE id = 1")
        word_index.keep_up(connection, number)
    assert (waiting(indexed), numbers(indexed, words="胰腺")) == (0, {number})
    assert numbers(indexed, words="肝细胞") == set()


def test_cases_of_before_are_indexed_a_part_with_each_change(two, monkeypatch):
    several = [two.case(title=f"肝脏 {number}") for number in range(7)]
    assert numbers(two, words="肝脏") == set(several)
    monkeypatch.setattr(word_index, "WORTH_IT", 1)
    monkeypatch.setattr(word_index, "AT_ONCE", 3)
    for left in (5, 3, 1, 0):
        several.append(two.case(title="肝脏"))
        assert waiting(two) == left
        assert numbers(two, words="肝脏") == set(several)
