"""The collector of sentences finds what people read, and tells when the Chinese of one is missing or spoilt."""

from __future__ import annotations

import ast

import pytest
from babel.messages.catalog import Catalog
from tools import translations


def found_in(source: str) -> list[str]:
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [message for call in calls for message in translations._of_call(call)]


@pytest.mark.parametrize(
    ("source", "sentences"),
    [
        ('text("A {b}.", b=1)', ["A {b}."]),
        ('text("A" if x else "B")', ["A", "B"]),
        ('text("one " "line")', ["one line"]),
        ('several("1 exam", "{count} exams", n)', ["1 exam", "{count} exams"]),
        ('language.say("A")', ["A"]),
        ('Problem(code="a.b", says="S", remedy="R", owner=o)', ["S", "R"]),
        ('measure(label="L", unit="mm")', ["L"]),
        ('print("not for people")', []),
        ("text(variable)", []),
    ],
)
def test_sentences_are_found_where_they_are_spoken(source: str, sentences: list[str]) -> None:
    assert found_in(source) == sentences


def test_data_files_are_read_by_the_names_of_their_fields() -> None:
    content = {"title": "T", "criteria": [{"id": "not-read", "remedy": "R", "value": 3}], "source": {"locator": "L"}}
    assert list(translations._spoken(content)) == ["T", "R"]


def test_a_missing_and_a_spoilt_translation_are_told() -> None:
    catalogue = Catalog(locale="zh_CN")
    catalogue.add("Slice thickness", "层厚")
    catalogue.add("Volume", "")
    catalogue.add("{a} of {b}", "{b} 中")
    said = translations.faults(catalogue)
    assert len(said) == 2
    assert any("has no Chinese: Volume" in line for line in said)
    assert any("other places" in line and "{a} of {b}" in line for line in said)


def test_the_chinese_of_a_sentence_that_comes_back_is_not_lost() -> None:
    stored = Catalog(locale="zh_CN")
    stored.add("Volume", "体积")
    without = translations.updated(stored, {"Noise": {"a.py"}})
    again = translations.updated(without, {"Volume": {"a.py"}})
    assert again["Volume"].string == "体积"


def test_what_ships_is_compiled_from_its_text_and_keeps_every_place() -> None:
    stored = translations.catalogue()
    assert translations.MO.read_bytes() == translations.compiled(
        translations.updated(stored, {str(m.id): {"x"} for m in stored if m.id})
    )
    assert [line for line in translations.faults(stored) if "other places" in line] == []
