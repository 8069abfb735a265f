"""Whatever is received and removed in whatever order, the index says what is there."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from tests.archive.empty import empty_workspace
from tests.archive.objects.conftest import FROM, SPACE, files_of
from tests.archive.objects.sent import file

from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.query import Query
from bingcheng.archive.objects.received import ReceivedStatus
from bingcheng.archive.objects.tables import stored_removal

SPACES = (SPACE, "case/2")
INSTANCES = [(study, series, number) for study in ("1.1", "1.2") for series in (1, 2) for number in (1, 2)]


def data_of(which, variant):
    study, series, number = which
    modality = "CT" if series == 1 else "PT"
    return file(number, study=study, series=f"{study}.{series}", Modality=modality, AccessionNumber=f"V{variant}")


FILES = {(which, variant): data_of(which, variant) for which in INSTANCES for variant in (0, 1)}
steps = st.one_of(
    st.tuples(st.just("receive"), st.sampled_from(SPACES), st.sampled_from(INSTANCES), st.sampled_from((0, 0, 1))),
    st.tuples(st.just("remove"), st.sampled_from(SPACES), st.sampled_from(INSTANCES), st.sampled_from((1, 2, 3))),
    st.tuples(st.just("settle"), st.sampled_from(SPACES), st.just(INSTANCES[0]), st.sampled_from((0, 1))),
)


def play(objects, moves):
    """Do all moves to the store and to dictionaries; what must be stored and kept aside by then."""
    truth, aside = {}, {}
    for move, space, which, choice in moves:
        key = (space, which)
        if move == "receive":
            received = objects.receive(FILES[which, choice], space=space, origin=FROM)
            if key not in truth:
                truth[key] = choice
                assert received.status is ReceivedStatus.STORED
            elif truth[key] == choice:
                assert received.status is ReceivedStatus.ALREADY
            else:
                aside[key] = choice
                assert received.status is ReceivedStatus.CONFLICT
        elif move == "remove":
            study, series, number = which
            below = (f"{study}.{series}", f"{study}.{series}.{number}")[: choice - 1]
            gone = [k for k in truth if k[0] == space and k[1][:choice] == which[:choice]]
            assert objects.remove(space, study, *below) == len(gone)
            for k in gone:
                del truth[k]
        else:
            for conflict in objects.conflicts([space]):
                number = int(conflict.sop_uid.rsplit(".", 1)[1])
                key = (space, (conflict.study_uid, int(conflict.series_uid.rsplit(".", 1)[1]), number))
                objects.settle_conflict(space, conflict.id, keep="received" if choice else "stored")
                if choice:
                    truth[key] = aside[key]
                del aside[key]
    return truth, aside


def agree(objects, truth, aside):
    for space in SPACES:
        mine = {which: variant for (of, which), variant in truth.items() if of == space}
        counts = objects.statistics([space])[0]
        assert counts.instances == len(mine)
        assert counts.series == len({which[:2] for which in mine})
        assert counts.studies == len({which[0] for which in mine})
        assert counts.size == sum(len(FILES[which, variant]) for which, variant in mine.items())
        assert counts.conflicts == sum(of == space for of, _ in aside)
        for study in objects.studies(Query(), [space]):
            inside = {which: variant for which, variant in mine.items() if which[0] == study.study_uid}
            assert study.attributes["NumberOfStudyRelatedInstances"] == len(inside)
            assert study.attributes["NumberOfStudyRelatedSeries"] == len({which[1] for which in inside})
            modalities = {"CT" if which[1] == 1 else "PT" for which in inside}
            assert set(study.attributes["ModalitiesInStudy"].split("\\")) == modalities
            instances = objects.instances_of([space], study.study_uid)
            assert {one.sop_uid for one in instances} == {f"{a}.{b}.{c}" for a, b, c in inside}
            for one, line in zip(instances, objects.metadata(instances), strict=True):
                which = (one.study_uid, int(one.series_uid.rsplit(".", 1)[1]), one.number)
                with objects.open_bytes(one) as stream:
                    assert stream.read() == FILES[which, inside[which]]
                assert f'"V{inside[which]}"'.encode() in line
    assert len(files_of(objects)) == len(truth) + len(aside)
    with objects.workspace.reading() as connection:
        assert connection.execute(select(stored_removal)).all() == []
    assert (objects.check().indexed, objects.check().removed, objects.check().lost) == (0, 0, ())


@given(st.lists(steps, max_size=25))
@settings(max_examples=15)
def test_counts_are_the_truth_after_any_moves(moves):
    with tempfile.TemporaryDirectory() as folder:
        workspace = empty_workspace(Path(folder))
        objects = Objects.open(workspace)
        agree(objects, *play(objects, moves))
        objects.close()
        workspace.close()


def test_counts_are_the_truth_on_a_server_too(anywhere):
    first, second = INSTANCES[0], INSTANCES[1]
    moves = [
        *(("receive", SPACE, which, 0) for which in INSTANCES),
        *(("receive", SPACES[1], which, 0) for which in INSTANCES[:3]),
        ("receive", SPACE, first, 1),
        ("receive", SPACE, second, 1),
        ("settle", SPACE, first, 1),
        ("remove", SPACE, INSTANCES[2], 2),
        ("remove", SPACE, INSTANCES[4], 3),
        ("remove", SPACES[1], first, 1),
    ]
    agree(anywhere, *play(anywhere, moves))


def test_the_background_is_told_of_studies_that_changed_until_it_has_seen_them(anywhere):
    anywhere.receive(FILES[INSTANCES[0], 0], space=SPACE, origin=FROM)
    assert anywhere.changed_since(quiet_s=3600) == []
    (study,) = anywhere.changed_since(quiet_s=0)
    assert study.study_uid == "1.1"
    anywhere.receive(FILES[INSTANCES[1], 0], space=SPACE, origin=FROM)
    anywhere.worked(study)
    (again,) = anywhere.changed_since(quiet_s=0)
    assert again.revision > study.revision
    anywhere.worked(again)
    assert anywhere.changed_since(quiet_s=0) == []
    anywhere.receive(FILES[INSTANCES[1], 0], space=SPACE, origin=FROM)
    assert anywhere.changed_since(quiet_s=0) == []
    anywhere.remove(SPACE, "1.1", "1.1.1", "1.1.1.2")
    assert [one.study_uid for one in anywhere.changed_since(quiet_s=0)] == ["1.1"]


def test_an_exams_folder_holds_its_files_and_no_other(objects):
    for which in INSTANCES:
        objects.receive(FILES[which, 0], space=SPACE, origin=FROM)
    folder = objects.exam_folder(SPACE, "1.1")
    held = sorted(path.read_bytes() for path in folder.rglob("*.dcm"))
    assert held == sorted(FILES[which, 0] for which in INSTANCES if which[0] == "1.1")
    with pytest.raises(Exception, match="object-lost"):
        objects.exam_folder("case/9", "1.1")
