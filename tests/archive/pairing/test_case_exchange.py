"""Cases of the room of cases leave with all that belongs to them, and come to be read where they are received."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, insert, select, update
from tests.archive.pairing.making import NOON, image

from bingcheng.archive.authorisation import Role, case_space
from bingcheng.archive.cases import tables
from bingcheng.archive.cases.case import (
    CaseStatus,
    KeyImage,
    Question,
    Written,
    case,
    change_case,
    make_case,
    set_status,
)
from bingcheng.archive.cases.changes import CaseChange, case_changes, keep_changes
from bingcheng.archive.cases.facts import case_exams, case_protocols, case_values
from bingcheng.archive.cases.grants import spaces_granted
from bingcheng.archive.cases.holdings import put
from bingcheng.archive.objects.query import Query
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.pairing import bundles, case_exchange, offering, peers
from bingcheng.archive.pairing.bundles import BundleState
from bingcheng.archive.pairing.key import verified
from bingcheng.archive.pairing.manifest import Manifest, PointedImage
from bingcheng.archive.pairing.permission import Permission
from bingcheng.archive.pairing.receiving import Receiving
from bingcheng.archive.pairing.tables import peer as pairing_peer
from bingcheng.archive.people.hospital import make_hospital
from bingcheng.archive.people.notice import notices
from bingcheng.archive.people.person import make_person
from bingcheng.compare.change import Verdict
from bingcheng.core.errors import InputError
from bingcheng.core.wording import text

IMAGES = [image(number) for number in range(2)]
WRITTEN = Written(
    title="肝脏病变",
    context="Found by chance.",
    diagnosis="Metastasis",
    diagnosis_code="8000/6",
    tags=("liver",),
    hidden=True,
    questions=(
        Question(question="What is it?", choices=("a cyst", "a metastasis"), right=1, explanation="It enhances."),
    ),
    show_hospital=True,
)


def people(one):
    with one.workspace.writing() as connection:
        hospital = make_hospital(connection, name=f"{one.name} Hospital", code=one.name, now=NOON)
        person = make_person(
            connection, login=one.name, name=one.name, hospital=hospital, roles=[Role.RADIOLOGIST], now=NOON
        )
    return hospital, person


@pytest.fixture
def published(both):
    """A published case of the north; the south receives for its hospital."""
    north, south = both
    hospital, person = people(north)
    receiver, operator = people(south)
    with north.workspace.writing() as connection:
        number = make_case(connection, hospital=hospital, author=person, profile="teaching", written=WRITTEN, now=NOON)
    for data in IMAGES:
        received = north.objects.receive(data, space=case_space(number), origin=Origin(kind="derived", peer="case"))
    with north.workspace.writing() as connection:
        exam = {"number": 1, "study_uid": received.study_instance_uid, "day": 0, "modalities": "CT", "instances": 2}
        connection.execute(insert(tables.case_exam), {"case_id": number, **exam})
        value = {"exam": 1, "lesion": 1, "modality": "CT", "key": "longest_diameter", "label": "Longest", "unit": "mm"}
        connection.execute(
            insert(tables.case_value), {"case_id": number, "value": 31.5, "standard_uncertainty": 0.5, **value}
        )
        result = {"exam": 1, "protocol": "liver-ct", "outcome": "pass", "passed": 9, "failed": 0, "unknown": 0}
        connection.execute(insert(tables.case_protocol), {"case_id": number, **result})
        set_status(connection, number, CaseStatus.PUBLISHED, NOON)
    with south.workspace.writing() as connection:
        peer = peers.peer(connection, south.other)
        peers.change(connection, south.other, address=peer.address, may=Permission, hospital=receiver)
        connection.execute(update(pairing_peer).values(confirmed_by=operator))
    return number, receiver


def leaving(north, number: int, **content):
    """The manifest of a case as it leaves the north, with another content if that is said, and its objects."""
    with north.workspace.writing() as connection:
        found = case_exchange.export_case(connection, number)
    study = found.content.exams[0].study_uid
    instances = north.objects.instances_of([found.space], study)
    said = replace(found, content=found.content.model_copy(update=content))
    return offering.manifest_of(said, instances, north.key.identifier), instances


def arriving(north, south, manifest, instances):
    """The manifest and its objects as they are taken by the south."""
    written = manifest.written()
    there = Receiving(workspace=south.workspace, objects=south.objects, room=case_exchange, peer=south.peer())
    here = there.begin(written, north.key.sign(offering.PURPOSE + written), NOON)
    for one in instances:
        there.add(here, one.sha256, 0, north.objects.path(one).read_bytes())
    return there, there.complete(manifest.name, NOON)


def crossed(north, south, number: int):
    return arriving(north, south, *leaving(north, number))


def written(one, number: int) -> Written:
    with one.workspace.reading() as connection:
        return case(connection, number).written


def write(north, number: int, **changed) -> None:
    with north.workspace.writing() as connection:
        known = case(connection, number)
        change_case(connection, number, replace(known.written, **changed), person=known.author, now=NOON)


def held(one, number: int) -> dict[str, bytes]:
    """The objects of a case by their UIDs."""
    space = case_space(number)
    studies = one.objects.studies(Query(), [space])
    found = [image for study in studies for image in one.objects.instances_of([space], study.study_uid)]
    return {image.sop_uid: one.objects.path(image).read_bytes() for image in found}


def test_a_case_comes_with_its_words_and_numbers_and_its_hospital_reads_it(both, published):
    north, south = both
    number, receiver = published
    there, done = crossed(north, south, number)
    with north.workspace.reading() as first, south.workspace.reading() as second:
        for facts in (case_exams, case_values, case_protocols):
            assert facts(first, number) == facts(second, done.case) != ()
        found = case(second, done.case)
        assert found.status is CaseStatus.PUBLISHED
        assert (found.written.title, found.written.questions, found.written.hidden) == (
            WRITTEN.title,
            WRITTEN.questions,
            True,
        )
        assert bundles.origin_of(second, done.case) == south.other
        assert bundles.origin_of(first, number) is None
        assert spaces_granted(second, receiver, NOON) == (case_space(done.case),)
        assert spaces_granted(second, None, NOON) == ()
    there.withdraw(done.name, NOON)
    with south.workspace.reading() as connection:
        assert spaces_granted(connection, receiver, NOON) == ()


def test_key_images_come_in_their_order_with_places_and_words(both, published):
    north, south = both
    number, _ = published
    first, second = held(north, number)
    keys = (
        KeyImage(sop_uid=second, x=12.0, y=30.0, note="动脉期强化 <script>alert(1)</script>"),
        KeyImage(sop_uid=first),
        KeyImage(sop_uid=second, x=0.0, y=63.0),
    )
    gone = (KeyImage(sop_uid="2.25.404", note="left out since"), KeyImage(sop_uid=first, frame=2))
    write(north, number, key_images=(gone[0], *keys, gone[1]))
    _, done = crossed(north, south, number)
    assert written(south, done.case).key_images == keys
    assert set(held(south, done.case)) == {first, second}


def change(**more) -> CaseChange:
    said = {"lesion": 1, "before": 1, "after": 2, "modality": "CT", "key": "longest_diameter", "label": "Longest"}
    numbers = {"difference": 9.5, "percent": 30.0, "low_percent": -20.0, "high_percent": 25.0}
    reason = text("{percent} %, more than {limits}: {why}", percent=30.0, limits="-20, 25", why=text("It grew."))
    said |= {"unit": "mm", "verdict": Verdict.REAL, "reasons": (reason,), "leads": True}
    return CaseChange(**{**said, **numbers, **more})


def test_changes_come_with_their_reasons_and_an_earlier_release_gets_the_case_without_them(both, published):
    north, south = both
    number, _ = published
    told = change(reasons=(text("{what}", what="KANARI"), text("of 2024-01-02"), change().reasons[0]))
    with north.workspace.writing() as connection:
        exam = {"number": 2, "study_uid": "2.25.9", "day": 90, "modalities": "CT", "instances": 0}
        connection.execute(insert(tables.case_exam), {"case_id": number, **exam})
        kept = (told, change(leads=False, difference=None), change(lesion=7), change(after=3))
        keep_changes(connection, number, kept)
    manifest, instances = leaving(north, number)
    assert manifest.form == 3
    assert "KANARI" not in manifest.written().decode()
    assert manifest.in_form(2).form == 1
    _, done = arriving(north, south, manifest, instances)
    with south.workspace.reading() as connection:
        assert case_changes(connection, done.case) == (change(), change(leads=False, difference=None))
    write(north, number, title="Another version")
    manifest, instances = leaving(north, number)
    _, done = arriving(north, south, manifest.in_form(2), instances)
    with south.workspace.reading() as connection:
        assert case_changes(connection, done.case) == ()


def test_an_installation_of_an_earlier_release_gets_the_case_without_them(both, published):
    north, south = both
    number, _ = published
    write(north, number, key_images=(KeyImage(sop_uid=next(iter(held(north, number)))),))
    manifest, instances = leaving(north, number)
    assert manifest.form == 2
    with north.workspace.writing() as connection:
        offering.offer(connection, north.key, north.other, manifest, number, NOON, push=True)
        found = bundles.bundle(connection, north.other, manifest.name, incoming=False)
        bundles.move(connection, found.number, BundleState.OFFERED, NOON)
        for newest, form in ((7, 2), (2, 2), (1, 1), (2, 1)):  # what is once left out is not signed anew
            found = bundles.bundle(connection, north.other, manifest.name, incoming=False)
            told = offering.in_form(connection, north.key, found, newest)
            assert told.content() == manifest.in_form(form)
            assert verified(north.key.public, told.signature, offering.PURPOSE + told.manifest)
        offering.gave(connection, north.peer(), told, NOON)
        offering.offer(connection, north.key, north.other, manifest, number, NOON, push=True)
        assert bundles.bundle(connection, north.other, manifest.name, incoming=False).state is BundleState.GIVEN
    _, done = arriving(north, south, told.content(), instances)
    assert written(south, done.case).key_images == ()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"frame": 2}, "does not have"),
        ({"x": 64.0, "y": 3.0}, "does not have"),
        ({"x": 3.0, "y": 64.0}, "does not have"),
        ({"sop_uid": "2.25.1"}, "none of the case's"),
    ],
)
def test_a_key_image_of_another_case_or_of_no_image_leaves_nothing_behind(both, published, wrong, why):
    north, south = both
    number, _ = published
    manifest, instances = leaving(north, number)
    key = PointedImage(**{"sop_uid": instances[0].sop_uid, **wrong})
    pointed = manifest.model_copy(
        update={"format": "bingcheng-case-2", "content": manifest.content.model_copy(update={"key_images": (key,)})}
    )
    with pytest.raises(InputError) as raised:
        arriving(north, south, pointed, instances)
    assert raised.value.code == "archive.not-whitelisted"
    assert why in str(raised.value)
    with south.workspace.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(tables.shared_case)) == 0
    assert south.objects.studies(Query(), [case_space(1)]) == []
    assert not list(south.workspace.folder.glob("pairing/*"))


@pytest.mark.parametrize(
    "content",
    [
        {"title": "   "},
        {"tags": ("x" * 65,)},
        {"tags": tuple(map(str, range(31)))},
        {"diagnosis": "x" * 201},
        {"questions": ({"question": "?", "choices": ("a", "a"), "right": 0},)},
        {"questions": ({"question": "?", "choices": ("a", "b"), "right": 5},)},
    ],
)
def test_what_no_case_here_can_say_is_refused_before_its_objects_come(both, published, content):
    north, south = both
    manifest, _ = leaving(north, published[0])
    changed = Manifest.model_validate(
        {**manifest.model_dump(), "content": {**manifest.content.model_dump(), **content}}
    )
    with pytest.raises(InputError) as raised:
        arriving(north, south, changed, ())
    assert raised.value.code == "archive.not-whitelisted"
    with south.workspace.reading() as connection:
        assert bundles.all_unfinished(connection) == ()


def test_a_later_version_shows_no_image_that_was_left_out_and_each_as_it_is_now(both, published):
    north, south = both
    number, _ = published
    _, first = crossed(north, south, number)
    kept, left_out = held(north, number)
    anew = again(held(north, number)[kept])
    north.objects.remove(case_space(number), leaving(north, number)[1][0].study_uid, None, left_out)
    put(north.objects, anew, space=case_space(number), origin=Origin(kind="derived", peer="case"))
    write(north, number, title="One image less")
    _, second = crossed(north, south, number)
    assert second.case == first.case
    assert held(south, second.case) == held(north, number) == {kept: anew}
    assert south.objects.conflicts([case_space(second.case)]) == []


def again(data: bytes) -> bytes:
    """The same object with other pixels, as when other regions are blanked."""
    return data[:-200] + bytes(200)


@pytest.mark.parametrize("begun", [False, True])
def test_an_earlier_version_that_comes_late_changes_nothing(both, published, begun):
    north, south = both
    number, _ = published
    early, objects = leaving(north, number)
    signature = north.key.sign(offering.PURPOSE + early.written())
    there = Receiving(workspace=south.workspace, objects=south.objects, room=case_exchange, peer=south.peer())
    if begun:
        there.begin(early.written(), signature, NOON)
    write(north, number, title="As it is now")
    _, done = crossed(north, south, number)
    there, late = arriving(north, south, early, objects)
    assert (late.state, late.case) == (BundleState.COMPLETE, done.case)
    assert written(south, done.case).title == "As it is now"
    assert not list(south.workspace.folder.glob("pairing/*"))
    with south.workspace.writing() as connection:
        bundles.move(connection, done.number, BundleState.WITHDRAWN, NOON)
        assert bundles.came_of_case(connection, done.case).state is BundleState.WITHDRAWN, "whatever came last"
    there.withdraw(late.name, NOON)
    with south.workspace.reading() as connection:
        assert case(connection, done.case).status is CaseStatus.WITHDRAWN


@pytest.mark.parametrize("there_too", [False, True])
def test_a_later_version_of_a_withdrawn_case_opens_nothing_and_is_told(both, published, there_too):
    """Withdrawn by its hospital here, or where it came from: it stays so until the hospital publishes it again."""
    north, south = both
    number, receiver = published
    there, first = crossed(north, south, number)
    if there_too:
        there.withdraw(first.name, NOON)
    else:
        with south.workspace.writing() as connection:
            set_status(connection, first.case, CaseStatus.WITHDRAWN, NOON)
    write(north, number, title="As it is now")
    _, second = crossed(north, south, number)
    assert second.case == first.case
    with south.workspace.writing() as connection:
        known = case(connection, first.case)
        assert (known.status, known.written.title) == (CaseStatus.WITHDRAWN, "As it is now")
        assert spaces_granted(connection, receiver, NOON) == ()
        assert bundles.came_of_case(connection, first.case).state is BundleState.COMPLETE
        assert [one.says for one in notices(connection, known.author)] == [case_exchange.STAYS_WITHDRAWN]
        set_status(connection, first.case, CaseStatus.PUBLISHED, NOON)
        assert spaces_granted(connection, receiver, NOON) == (case_space(first.case),)


def test_a_later_version_takes_the_place_of_the_one_before(both, published):
    north, south = both
    number, receiver = published
    _, first = crossed(north, south, number)
    with north.workspace.writing() as connection:
        author = case(connection, number).author
        change_case(connection, number, Written(title="A metastasis"), person=author, now=NOON)
    _, second = crossed(north, south, number)
    assert (second.case, second.name != first.name) == (first.case, True)
    with south.workspace.reading() as connection:
        assert case(connection, first.case).written.title == "A metastasis"
        assert len(case_values(connection, first.case)) == 1
        assert spaces_granted(connection, receiver, NOON) == (case_space(first.case),)


def test_neither_drafts_nor_cases_of_others_are_given_on(both, published):
    north, south = both
    number, _ = published
    _, done = crossed(north, south, number)
    with south.workspace.reading() as connection, pytest.raises(InputError) as raised:
        case_exchange.export_case(connection, done.case)
    assert "third" in str(raised.value)
    with north.workspace.writing() as connection:
        assert case_exchange.is_published(connection, number)
        set_status(connection, number, CaseStatus.WITHDRAWN, NOON)
        assert not case_exchange.is_published(connection, number)
        assert not case_exchange.is_published(connection, 987)
        with pytest.raises(InputError) as raised:
            case_exchange.export_case(connection, number)
    assert raised.value.code == "archive.withdrawn-case"


def test_without_a_receiving_hospital_nothing_is_taken(both, published):
    north, south = both
    with south.workspace.writing() as connection:
        peer = peers.peer(connection, south.other)
        peers.change(connection, south.other, address=peer.address, may=Permission)
    with pytest.raises(InputError) as raised:
        crossed(north, south, published[0])
    assert raised.value.code == "archive.no-receiving-hospital"
