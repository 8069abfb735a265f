"""Names that do not exist: what the author may have meant."""

from __future__ import annotations

import pytest
from tests.protocol.test_library import GOOD

from bingcheng.core.errors import InputError
from bingcheng.protocol.library import parse


def refusal(name):
    with pytest.raises(InputError) as caught:
        parse(GOOD.replace('attribute = "KVP"', f'attribute = "{name}"'), "ours.toml")
    return caught.value


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("SliceThikness", "misspelt-attribute", "SliceThickness"),
        ("plane", "misspelt-attribute", "derived.plane"),
        ("derived.EchoTime", "misspelt-attribute", "EchoTime"),
        ("quux", "unknown-attribute", "quux"),
        ("WindowWidth", "keyword-not-read", "DICOM keyword"),
        ("(0018,0050)", "tag-for-keyword", "SliceThickness"),
        ("00180060", "tag-for-keyword", "KVP"),
        ("(0018,9999)", "no-such-tag", "(0018,9999)"),
        ("thickness", "condition-on-criterion", "'thickness' is a criterion"),
        ("CT", "condition-on-role", "'CT' is a role"),
        ("role.CT", "condition-on-role", "'role.CT' is a role"),
    ],
)
def test_a_name_that_is_no_quantity_is_told_apart_by_what_it_is(name, code, says):
    error = refusal(name)
    assert error.code == f"protocol.{code}"
    assert says in str(error)


def test_conditions_can_not_go_in_a_circle_since_they_can_not_speak_of_criteria():
    when = 'when = [\n  { attribute = "%s", operator = "==", value = true },\n]\nlevel = "%s"'
    circle = GOOD.replace('level = "required"', when % ("kvp", "required"), 1)
    circle = circle.replace('unit = "kV"\nlevel = "recommended"', 'unit = "kV"\n' + when % ("thickness", "recommended"))
    with pytest.raises(InputError, match="conditions never go in a circle") as caught:
        parse(circle, "ours.toml")
    assert 'attribute = "kvp"' in circle.splitlines()[int(caught.value.reason.facts["line"]) - 1]
