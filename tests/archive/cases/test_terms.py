"""Organs and diagnoses: codes of the right kind, each once, and names that lead to their term in both languages."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from bingcheng.archive.cases.terms import same, terms

SHAPE = {"organ": re.compile(r"C(?:[0-7]\d|80)\.\d"), "diagnosis": re.compile(r"[89]\d{3}/[01236]")}


def test_codes_have_the_shape_of_their_axis_and_stand_once():
    codes = [one.code for one in terms() if one.code]
    assert all(SHAPE[one.kind].fullmatch(one.code) for one in terms() if one.code)
    assert not [code for code, count in Counter(codes).items() if count > 1]


@pytest.mark.parametrize("kind", sorted(SHAPE))
def test_no_name_leads_to_two_terms(kind):
    counted = Counter(name for one in terms() if one.kind == kind for name in one.names)
    assert not [name for name, count in counted.items() if count > 1]


@pytest.mark.parametrize(
    ("kind", "words", "found"),
    [
        # Labels of ICD-O-3: github.com/progenetix/icdot2uberon and github.com/progenetix/ICDOntologies.
        ("organ", "肝", "c22.0"),
        ("organ", "Kidney", "c64.9"),
        ("organ", "spleen", "c42.2"),
        ("diagnosis", "肝细胞癌", "8170/3"),
        ("diagnosis", "papillary carcinoma", "8050/3"),
        ("diagnosis", "papillary adenocarcinoma", "8260/3"),
        ("diagnosis", "甲状腺乳头状癌", "8260/3"),
        ("diagnosis", "Transitional cell carcinoma", "8120/3"),
        ("diagnosis", "carcinoid tumour", "8240/3"),
    ],
)
def test_a_name_in_either_language_leads_to_its_code(kind, words, found):
    assert found in same(kind, words)


def test_a_term_without_a_code_is_found_by_its_names_and_never_by_nothing():
    assert "转移瘤" in same("diagnosis", "metastasis")
    assert same("diagnosis", "") == frozenset({""})
