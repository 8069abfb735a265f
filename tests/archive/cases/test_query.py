"""The search language: what it means, and where it says that it isn't understood."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.archive.cases.query import All, Any, FieldIs, MeasureIs, Not, ProtocolIs, Words, parsed
from bingcheng.core.errors import InputError


def test_the_example_of_the_page_is_understood():
    said = "lesion.longest_diameter > 30 mm and organ = liver and protocol(pi-rads) = conform"
    assert parsed(said) == All(
        (
            MeasureIs(True, "longest_diameter", ">", 30.0, "mm", 1),
            FieldIs("organ", "=", "liver"),
            ProtocolIs("pi-rads", "pass", negated=False),
        )
    )


@pytest.mark.parametrize(
    "said",
    [
        "liver lesion > 30 mm with PI-RADS-conform MR",
        "Lesions > 30mm in liver, MRI and PI-RADS-conform",
        "肝病灶大于30mm且MR符合PI-RADS",
        "肝 病灶 ＞ 30 mm，符合 PI-RADS 的 磁共振",
        '器官 = 肝 且 病灶.longest_diameter > 30 mm 且 模态 = MR 且 方案（"pi-rads"）＝ 符合',
    ],
)
def test_a_sentence_means_what_the_longer_query_means(said):
    found = parsed(said)
    assert isinstance(found, All)
    measures = [one for one in found.parts if isinstance(one, MeasureIs)]
    assert [(one.key, one.compare, one.value, one.unit) for one in measures] == [("longest_diameter", ">", 30, "mm")]
    fields = {one.field: one.value for one in found.parts if isinstance(one, FieldIs)}
    assert fields in ({"organ": "liver", "modality": "MR"}, {"organ": "肝", "modality": "MR"})
    assert ProtocolIs("pi-rads", "pass", negated=False) in found.parts


def test_a_sentence_says_what_is_not_conform_and_joins_and_excludes():
    assert parsed("LI-RADS-not-conform") == ProtocolIs("li-rads", "fail", negated=False)
    assert parsed("不符合LI-RADS") == ProtocolIs("li-rads", "fail", negated=False)
    liver, lung = FieldIs("organ", "=", "liver"), FieldIs("organ", "=", "lung")
    assert parsed("liver CT or not lung") == Any((All((liver, FieldIs("modality", "=", "CT"))), Not(lung)))
    assert parsed("diagnosis ~ carcinoma in situ with mixed type and liver") == All(
        (FieldIs("diagnosis", "~", "carcinoma in situ with mixed type"), liver)
    )


def test_and_binds_closer_than_or_and_brackets_closest():
    assert parsed('"a" or "b" and not "c"') == Any((Words("a"), All((Words("b"), Not(Words("c"))))))
    assert parsed('("a" or "b") and "c"') == All((Any((Words("a"), Words("b"))), Words("c")))


@pytest.mark.parametrize("said", ["lesion.x>3cm", "lesion.x > 3 cm", "LESION.X > 3 cm"])
def test_spaces_and_case_do_not_matter(said):
    assert parsed(said) == MeasureIs(True, "x", ">", 3.0, "cm", 1)


def test_units_may_be_written_as_people_do():
    assert parsed("series.noise <= 12 HU") == MeasureIs(False, "noise", "<=", 12.0, "[hnsf'U]", 1)
    assert parsed("organ = 肝") == FieldIs("organ", "=", "肝")


@pytest.mark.parametrize(
    ("said", "position"),
    [
        ("organ", 6),
        ("organ liver", 7),
        ("size > 3 mm", 1),
        ("lesion.x > big", 12),
        ("lesion.x > 3 furlong", 14),
        ("lesion.x ~ 3 mm", 10),
        ("protocol pi-rads = conform", 10),
        ("protocol(pi-rads) = good", 21),
        ('("a" or "b"', 12),
        ('"a" "b"', 5),
        ('"a', 1),
        ("", None),
        ("  ", None),
        ("and", 1),
        ("(" * 50 + '"a"' + ")" * 50, 22),
        ("not " * 40 + '"a"', 85),
        ("x" * 501, 500),
    ],
)
def test_an_error_says_where(said, position):
    if position is None:
        assert parsed(said) is None
        return
    with pytest.raises(InputError) as refused:
        parsed(said)
    assert refused.value.code == "archive.wrong-query"
    assert refused.value.reason.facts["position"] == position


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='lesion.organ =>~!()"and or not 3 mm 肝%符合病灶，≥-conform\x00', max_size=60))
def test_whatever_is_typed_it_is_understood_or_refused(said):
    refused = None
    try:
        parsed(said)
    except InputError as error:
        refused = error
    if refused is not None:
        assert refused.code == "archive.wrong-query"
        assert 1 <= refused.reason.facts["position"] <= len(said) + 1


WHOLE = st.recursive(
    st.builds(Words, st.text(alphabet="abc肝 ", min_size=1, max_size=5))
    | st.builds(
        FieldIs, st.sampled_from(["organ", "tag"]), st.sampled_from(["=", "!=", "~"]), st.sampled_from(["a", "b c"])
    ),
    lambda inner: st.builds(Not, inner),
    max_leaves=4,
)


def written(one):
    match one:
        case Words(words):
            return f'"{words}"'
        case FieldIs(field, compare, value):
            return f'{field} {compare} "{value}"'
        case Not(other):
            return f"not ({written(other)})"


@settings(max_examples=50, deadline=None)
@given(WHOLE)
def test_what_is_written_is_read_back(one):
    assert parsed(written(one)) == one
