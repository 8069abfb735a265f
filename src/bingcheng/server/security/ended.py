"""What is told to somebody who could see a thing and asks for it after that ended.

Others are told that there is no such thing, whether there is one or not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.requests import Request

from bingcheng.archive.cases.ended import case_of_opinion, case_of_study, ended
from bingcheng.archive.cases.grants import Given
from bingcheng.archive.cases.notices import reads_cases
from bingcheng.archive.people.emergency import closed_again
from bingcheng.archive.people.person import LARGEST_NUMBER, Person
from bingcheng.core.errors import BingchengError, Owner, Problem
from bingcheng.core.wording import Text, text
from bingcheng.server.security.identity import known_person
from bingcheng.server.site import Site, site_of

CLOSED_AGAIN = Problem(
    code="server.closed-again",
    says="this exam was open to you in an emergency, and is closed again",
    remedy="It closes after an hour, or when its hospital no longer allows it. If the patient's care still can't wait, "
    "open it once more, with a reason.",
    owner=Owner.RADIOLOGIST,
)
GIVEN_NO_LONGER = Problem(
    code="server.given-no-longer",
    says="this was given to your hospital, and is open to you no longer",
    remedy="Its time was over, or it was taken back. Ask the hospital that gave it, if you still need it.",
    owner=Owner.RADIOLOGIST,
)
WITHDRAWN = Problem(
    code="server.case-withdrawn",
    says="this case was withdrawn by the hospital that published it",
    remedy="Nobody reads it any more. Ask that hospital, if you still need it.",
    owner=Owner.RADIOLOGIST,
)
_UID = re.compile(r"[0-9.]{1,64}")
_STUDIES = "studyinstanceuids"
"""The word by which the viewer's address names studies, in any case."""
_NUMBERED = (("case_number", Given.CASE), ("collection_number", Given.COLLECTION), ("method_number", Given.METHOD))


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where it goes on from here."""

    path: str
    says: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatEnded:
    """What is said instead of that there is no such thing, and where it goes on."""

    problem: Problem
    way: Way


def what_ended(request: Request, status: int) -> WhatEnded | None:
    """What ended, if who is refused could see the thing before; None if not."""
    person = known_person(request)
    if status not in (403, 404) or person is None:
        return None
    where = site_of(request)
    try:
        with where.workspace.reading() as connection:
            return _exam(request, connection, person, where) or _given(request, connection, person, where)
    except BingchengError:
        return None  # what says that the database is away must not fail for the same reason


def _exam(request: Request, connection: Connection, person: Person, where: Site) -> WhatEnded | None:
    uid = _study(request)
    if uid is None or not closed_again(connection, person.number, uid, where.now()):
        return None
    way = Way(path=f"/emergency?study_uid={uid}", says=text("Open it again, with a reason"))
    return WhatEnded(problem=CLOSED_AGAIN, way=way)


def _given(request: Request, connection: Connection, person: Person, where: Site) -> WhatEnded | None:
    asked = _asked(request, connection, person)
    if asked is None or not reads_cases(person):
        return None
    found = ended(connection, *asked, person.hospital, where.now())
    if found is None:
        return None
    way = Way(path="/cases", says=text("To the cases that are open to you"))
    return WhatEnded(problem=WITHDRAWN if found.withdrawn else GIVEN_NO_LONGER, way=way)


def _asked(request: Request, connection: Connection, person: Person) -> tuple[Given, int] | None:
    """What the address names that can be given: by its number, by an opinion about it, or by its exam."""
    for name, kind in _NUMBERED:
        number = _number(request, name)
        if number is not None:
            return kind, number
    opinion, uid, case = _number(request, "opinion_number"), _study(request), None
    if opinion is not None:
        case = case_of_opinion(connection, opinion, person.hospital)
    elif uid is not None:
        case = case_of_study(connection, uid)
    return None if case is None else (Given.CASE, case)


def _number(request: Request, name: str) -> int | None:
    written = str(request.path_params.get(name, ""))
    number = int(written) if written.isdecimal() and len(written) <= len(str(LARGEST_NUMBER)) else 0
    return number if 0 < number <= LARGEST_NUMBER else None


def _study(request: Request) -> str | None:
    named = (words.split(",")[0] for name, words in request.query_params.multi_items() if name.lower() == _STUDIES)
    uid = request.path_params.get("study_uid") or next(named, "")
    return uid if isinstance(uid, str) and _UID.fullmatch(uid) else None
