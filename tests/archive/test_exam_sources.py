"""Where an exam was read from is kept while the exam is."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import event
from tests.archive.conftest import record

from bingcheng.archive.exam_sources import save_sources, sources, sources_of
from bingcheng.archive.store import save_exam

HERE, THERE = Path("/exams/one"), Path("/exams/two.zip")


def test_places_come_back_and_the_last_run_s_count(workspace):
    save_exam(workspace, record("1.2.3"))
    save_exam(workspace, record("1.2.4"))
    save_sources(workspace, {"1.2.3": {HERE, THERE}, "1.2.4": {HERE}})
    save_sources(workspace, {"1.2.3": {THERE}})
    assert sources(workspace) == {"1.2.3": (THERE,), "1.2.4": (HERE,)}
    with workspace.reading() as connection:
        assert sources_of(connection, "1.2.3") == (THERE,)
        assert sources_of(connection, "1.2.9") == ()


def test_an_exam_that_is_not_stored_has_no_place(workspace):
    save_sources(workspace, {"1.2.9": {HERE}})
    assert sources(workspace) == {}


def test_an_exam_assessed_again_gives_its_places_up(workspace):
    save_exam(workspace, record("1.2.3"))
    save_sources(workspace, {"1.2.3": {HERE}})
    save_exam(workspace, record("1.2.3"))
    assert sources(workspace) == {}


def test_the_same_places_again_write_nothing(workspace):
    save_exam(workspace, record("1.2.3"))
    save_sources(workspace, {"1.2.3": {HERE}})
    said: list[str] = []
    event.listen(workspace.engine, "before_cursor_execute", lambda *call: said.append(call[2]))
    save_sources(workspace, {"1.2.3": {HERE}})
    assert said
    assert not [words for words in said if words.startswith(("DELETE", "INSERT"))]


def test_odd_letters_in_a_path_do_not_stop_the_rest(workspace):
    save_exam(workspace, record("1.2.3"))
    save_sources(workspace, {"1.2.3": {Path("/exams/\udcff"), HERE}})
    assert HERE in sources(workspace)["1.2.3"]
