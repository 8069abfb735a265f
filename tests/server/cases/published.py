"""A published case of the North Hospital, with something of everything that can hang at it."""

from __future__ import annotations

from sqlalchemy import select

from bingcheng.archive.cases import tables
from bingcheng.archive.cases.attached.file import cleaned
from bingcheng.archive.cases.attached.kept import attach
from bingcheng.archive.cases.case import CaseStatus, Question, Written, make_case, set_status
from bingcheng.archive.cases.collections import make_collection, put_in
from bingcheng.archive.cases.discussion import comment
from bingcheng.archive.cases.grants import Audience, Given, grant
from bingcheng.archive.cases.methods import MethodKind, share_method
from bingcheng.archive.cases.opinions import ask_opinion
from bingcheng.archive.cases.pictures import PictureDecision, decide_picture, pictures
from bingcheng.archive.cases.preparing import prepare
from bingcheng.archive.cases.selection import Chosen, choose, offered

WRITTEN = Written(
    title="Lesion of segment 6",
    context="Man of 58 years, known cirrhosis.",
    diagnosis="hepatocellular carcinoma",
    diagnosis_code="8170/3",
    teaching="- washout",
    body_part="liver",
    modality="CT",
    tags=("follow-up",),
    questions=(Question(question="What is it?", choices=("HCC", "FNH"), right=0, explanation="It washes out."),),
)


def publish(served, study: str, *, written: Written = WRITTEN, published: bool = True) -> int:
    """Make a case of all series of a study of the North Hospital; returns its number."""
    workspace, now = served.site.workspace, served.clock()
    author = served.people["radiologist"]
    with workspace.writing() as connection:
        number = make_case(
            connection, hospital=served.north, author=author, profile="teaching", written=written, now=now
        )
        series = offered(connection, served.north, [study])
        chosen = [Chosen(study_uid=one.study_uid, series_uid=one.series_uid) for one in series]
        choose(connection, number, served.north, chosen)
    make_images(served, number)
    if published:
        with workspace.writing() as connection:
            set_status(connection, number, CaseStatus.PUBLISHED, now)
    return number


def make_images(served, number: int) -> None:
    """What the background does, and a person who looks at each picture that waits (the example may show a head)."""
    workspace, now = served.site.workspace, served.clock()
    if prepare(workspace, served.site.objects, number).waiting:
        with workspace.writing() as connection:
            for one in pictures(connection, number):
                by = served.people["radiologist"]
                decide_picture(connection, number, one.sop_uid, PictureDecision.SHOW, allowed=one.asks, by=by, now=now)
        prepare(workspace, served.site.objects, number)


def give(served, number: int, *, hospital: int | None = None, **more) -> int:
    """Give a case to a hospital, or to the province."""
    audience = Audience.PROVINCE if hospital is None else Audience.HOSPITAL
    with served.site.workspace.writing() as connection:
        by, now = served.people["radiologist"], served.clock()
        return grant(connection, Given.CASE, number, audience, to=hospital, by=by, now=now, **more)


def example(served, study: str, what: str) -> str:
    """The number of one thing of a published case of the North Hospital; made when there is none."""
    kept = {
        "case": tables.shared_case,
        "comment": tables.case_comment,
        "attachment": tables.case_attachment,
        "grant": tables.case_grant,
        "opinion": tables.case_opinion,
        "collection": tables.case_collection,
        "method": tables.shared_method,
    }[what]
    with served.site.workspace.reading() as connection:
        case = connection.scalar(
            select(tables.shared_case.c.id).where(tables.shared_case.c.status == CaseStatus.PUBLISHED.value)
        )
    if case is None:
        case = _all(served, study)
    with served.site.workspace.reading() as connection:
        query = select(kept.c.id).order_by(kept.c.id.desc())
        return str(case) if what == "case" else str(connection.scalar(query))


def _all(served, study: str) -> int:
    case = publish(served, study)
    person, now = served.people["radiologist"], served.clock()
    with served.site.workspace.writing() as connection:
        said = comment(connection, case, person=person, words="Washout?", now=now)
        attach(connection, said, cleaned("note.txt", b"a note"))
        grant(connection, Given.CASE, case, Audience.HOSPITAL, to=served.north, by=person, now=now)
        ask_opinion(
            connection,
            case,
            asked_by=person,
            question="What do you think?",
            hospital=served.north,
            person=None,
            due_on=None,
            now=now,
        )
        collection = make_collection(
            connection, hospital=served.north, author=person, title="Liver", description="", now=now
        )
        put_in(connection, collection, case)
        share_method(
            connection,
            MethodKind.METHOD,
            hospital=served.north,
            author=person,
            title="Ours",
            description="",
            content='{"name": "ours", "version": "1", "measures": []}',
            evidence='{"passed": 3}',
            now=now,
        )
    return case
