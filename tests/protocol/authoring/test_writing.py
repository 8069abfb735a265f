"""Protocols written down: what is written loads to the same protocol."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol.test_library import GOOD

from bingcheng.protocol.authoring.writing import Comments, written
from bingcheng.protocol.library import parse, protocols


@pytest.mark.parametrize("protocol", protocols(), ids=lambda one: one.id)
def test_every_shipped_protocol_loads_again_to_itself(protocol):
    assert parse(written(protocol), "again.toml") == protocol


words = st.text(alphabet=st.characters(exclude_categories=("Cs",), exclude_characters="{}"), min_size=3, max_size=40)


@settings(deadline=None)
@given(words, words, st.floats(allow_nan=False, allow_infinity=False))
def test_any_words_and_numbers_survive_being_written(title, note, value):
    model = parse(GOOD, "ours.toml")
    criterion = model.criteria[0].model_copy(update={"title": title, "note": note, "value": value})
    changed = model.model_copy(update={"criteria": (criterion, model.criteria[1]), "title": title})
    again = tomllib.loads(written(changed))
    assert again["title"] == title
    assert again["criteria"][0]["note"] == note
    assert again["criteria"][0]["value"] == value


@settings(deadline=None)
@given(st.text(max_size=60))
def test_comments_never_change_what_the_file_says(said):
    model = parse(GOOD, "ours.toml")
    comments = Comments(head=[said], roles={"CT": [said]}, criteria={"kvp": [said]}, end=[said])
    assert parse(written(model, comments), "again.toml") == model
