"""What two protocols ask differently."""

from __future__ import annotations

import pytest
from tests.protocol.test_library import GOOD

from bingcheng.protocol.authoring.diff import Change, Part, differences
from bingcheng.protocol.library import parse, protocol, protocols


def changes(old, new, count=1):
    assert old in GOOD
    return differences(parse(GOOD, "a.toml"), parse(GOOD.replace(old, new, count), "b.toml"))


def test_a_protocol_does_not_differ_from_itself():
    for one in protocols():
        assert differences(one, one) == ()


@pytest.mark.parametrize(
    ("old", "new", "part", "field", "before", "after"),
    [
        ("value = 0.25", "value = 0.5", Part.CRITERION, "value", "at most 0.25 cm", "at most 0.5 cm"),
        ('operator = "<="', 'operator = "<"', Part.CRITERION, "value", "at most 0.25 cm", "below 0.25 cm"),
        (
            'value = 0.25\nunit = "cm"',
            'value = 2.5\nunit = "mm"',
            Part.CRITERION,
            "value",
            "at most 0.25 cm",
            "at most 2.5 mm",
        ),
        ("value = 0.25", "by_vendor = { GE = 0.3 }", Part.CRITERION, "value", "at most 0.25 cm", "GE: at most 0.3 cm"),
        ('level = "required"', 'level = "ideal"', Part.CRITERION, "level", "required", "ideal"),
        ('locator = "page 3"', 'locator = "page 4"', Part.SOURCE, "locator", "page 3", "page 4"),
        ('version = "2026-1"', 'version = "2026-2"', Part.PROTOCOL, "version", "2026-1", "2026-2"),
        ("decisive = true", "decisive = true\neach = true", Part.ROLE, "each", "no", "yes"),
        ('remedy = "Set 100', 'note = "Or less."\nremedy = "Set 100', Part.CRITERION, "note", "nothing", "Or less."),
    ],
)
def test_each_change_is_said_once_in_words(old, new, part, field, before, after):
    (found,) = changes(old, new)
    assert (found.change, found.part, found.field) == (Change.CHANGED, part, field)
    assert (str(found.before), str(found.after)) == (before, after)


def test_a_changed_role_says_by_what_it_is_recognised_now():
    (found,) = changes('is_original", operator = "==", value = true', 'is_original", operator = "==", value = false')
    assert "original image, not derived: yes" in str(found.before)
    assert "original image, not derived: no" in str(found.after)


def test_criteria_that_come_and_go_are_said_with_what_they_ask():
    shorter = parse(GOOD[: GOOD.index('[[criteria]]\nid = "kvp"')], "a.toml")
    whole = parse(GOOD, "b.toml")
    (added,) = differences(shorter, whole)
    assert (added.change, added.key, str(added.after)) == (
        Change.ADDED,
        "kvp",
        "tube voltage: 100 to 140 kV (recommended)",
    )
    (removed,) = differences(whole, shorter)
    assert (removed.change, removed.after) == (Change.REMOVED, None)


def test_a_new_name_for_the_same_is_a_renaming():
    (found,) = changes('id = "kvp"', 'id = "voltage"')
    assert (found.change, str(found.before), str(found.after)) == (Change.RENAMED, "kvp", "voltage")


def test_two_guidelines_differ_in_both_directions_alike():
    first, second = protocol("fdg_petct_qiba114"), protocol("fdg_petct_eanm2")
    forth, back = differences(first, second), differences(second, first)
    assert len(forth) == len(back)
    opposite = {Change.ADDED: Change.REMOVED, Change.REMOVED: Change.ADDED, Change.CHANGED: Change.CHANGED}
    assert sorted((d.part, d.key, d.field or "", d.change) for d in forth if d.part is not Part.PROTOCOL) == sorted(
        (d.part, d.key, d.field or "", opposite[d.change]) for d in back if d.part is not Part.PROTOCOL
    )
