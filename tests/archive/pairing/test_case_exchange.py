"""Cases of the room of cases leave with all that belongs to them, and come to be read where they are received."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, update
from tests.archive.pairing.making import NOON, image

from bingcheng.archive.authorisation import Role, case_space
from bingcheng.archive.cases import tables
from bingcheng.archive.cases.case import CaseStatus, Question, Written, case, change_case, make_case, set_status
from bingcheng.archive.cases.facts import case_exams, case_protocols, case_values
from bingcheng.archive.cases.grants import spaces_granted
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.pairing import bundles, case_exchange, offering, peers
from bingcheng.archive.pairing.permission import Permission
from bingcheng.archive.pairing.receiving import Receiving
from bingcheng.archive.pairing.tables import peer as pairing_peer
from bingcheng.archive.people.hospital import make_hospital
from bingcheng.archive.people.person import make_person
from bingcheng.core.errors import InputError

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


def crossed(north, south, number: int):
    with north.workspace.writing() as connection:
        found = case_exchange.export_case(connection, number)
    study = found.content.exams[0].study_uid
    instances = north.objects.instances_of([found.space], study)
    manifest = offering.manifest_of(found, instances, north.key.identifier)
    written = manifest.written()
    there = Receiving(workspace=south.workspace, objects=south.objects, room=case_exchange, peer=south.peer())
    here = there.begin(written, north.key.sign(offering.PURPOSE + written), NOON)
    for one in instances:
        there.add(here, one.sha256, 0, north.objects.path(one).read_bytes())
    return there, there.complete(manifest.name, NOON)


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
