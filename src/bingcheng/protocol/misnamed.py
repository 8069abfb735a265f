"""What an author may have meant by the name of a quantity that does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from pydicom.datadict import keyword_dict, keyword_for_tag, tag_for_keyword

from bingcheng.core.errors import Problem
from bingcheng.core.wording import Fact
from bingcheng.protocol.attributes import attributes
from bingcheng.protocol.fault import Fault, file_problem
from bingcheng.protocol.model import Protocol

SPEAKS_OF_CRITERION = file_problem(
    "condition-on-criterion",
    "'{name}' is a criterion of this file, and a condition can't speak of one: it speaks of facts of the exam, so that "
    "conditions never go in a circle",
    remedy="Write the demand of that criterion (attribute, operator, value) as the condition.",
)
SPEAKS_OF_ROLE = file_problem(
    "condition-on-role",
    "'{name}' is a role of this file, not a quantity",
    remedy="Name the quantity that is asked for; a criterion names its roles with the key 'roles'.",
)
NOT_READ = file_problem(
    "keyword-not-read",
    "'{name}' is a DICOM keyword, but no quantity that this program reads",
    remedy="Use one of the quantities that are read, or add this one as a plug-in; the documentation says how.",
)
NOT_READ_BUT_LIKE = file_problem(
    "keyword-like-one-read",
    "'{name}' is a DICOM keyword, but no quantity that this program reads; it reads {near}",
    remedy="Use one of the quantities that are read, or add this one as a plug-in; the documentation says how.",
)
A_TAG = file_problem(
    "tag-for-keyword",
    "'{name}' is a tag; quantities go by their keyword, which of this tag is '{keyword}'",
    remedy="Write the keyword, if this program reads it (the documentation lists the quantities).",
)
NO_SUCH_TAG = file_problem("no-such-tag", "DICOM's data dictionary has no tag '{name}'")
UNKNOWN_ATTRIBUTE = file_problem(
    "unknown-attribute", "'{name}' is neither a DICOM keyword nor another quantity that this program knows"
)
MISSPELT = file_problem(
    "misspelt-attribute",
    "'{name}' is neither a DICOM keyword nor another quantity that this program knows; did you mean {near}?",
)

TAG = re.compile(r"^\(?\s*([0-9A-Fa-f]{4})\s*,?\s*([0-9A-Fa-f]{4})\s*\)?$")
MOST_NEAREST = 3
LIKE = 0.65
"""Least likeness (of `difflib`, 0 to 1) of a name that is offered."""


def explained(name: str, fault: Fault, protocol: Protocol) -> Fault:
    """`fault`, that the quantity `name` does not exist, as what the author is likely to have meant by it."""
    problem, facts = _meant(name, protocol)
    return Fault(problem, fault.where, {"name": name, **facts})


def _meant(name: str, protocol: Protocol) -> tuple[Problem, dict[str, Fact]]:
    if name in {criterion.id for criterion in protocol.criteria}:
        return SPEAKS_OF_CRITERION, {}
    if name.removeprefix("role.") in {role.id for role in protocol.roles}:
        return SPEAKS_OF_ROLE, {}
    tag = TAG.match(name)
    if tag is not None:
        keyword = keyword_for_tag((int(tag[1], 16), int(tag[2], 16)))
        return (A_TAG, {"keyword": keyword}) if keyword else (NO_SUCH_TAG, {})
    if tag_for_keyword(name) is not None:
        near = _nearest(name, attributes().keys())
        return (NOT_READ_BUT_LIKE, {"near": near}) if near else (NOT_READ, {})
    near = _nearest(name, attributes().keys()) or _nearest(name, filter(None, keyword_dict))
    return (MISSPELT, {"near": near}) if near else (UNKNOWN_ATTRIBUTE, {})


def _nearest(name: str, known: Iterable[str]) -> str:
    """The known names most like `name`; empty if none is. Families count for nothing (``plane``: ``derived.plane``)."""
    bare: dict[str, str] = {}
    for key in known:
        bare.setdefault(key.rpartition(".")[2].casefold(), key)
    found = get_close_matches(name.rpartition(".")[2].casefold(), bare, MOST_NEAREST, LIKE)
    return ", ".join(bare[match] for match in found)
