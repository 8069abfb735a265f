"""Lesions without identifiers over two exams of a patient: matched by the images, followed, changed by people."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.engine.conftest import make_no_objects, shorten_uncertainties
from tests.engine.follow_up_making import EARLIER, LATER, QUICK, STORY, Said, follow_up
from tests.engine.making import BRUNO, FIRST, ct, dwi, pet

from bingcheng.archive.matchings import DrawnExam, DrawnLesion, forget_proposals, proposals
from bingcheng.archive.workspace import Workspace
from bingcheng.compare.change import Verdict
from bingcheng.core.codes import Code
from bingcheng.core.errors import InputError
from bingcheng.engine.follow_up import by_images
from bingcheng.engine.follow_up.decisions import Deciding, Who, take_back_last
from bingcheng.engine.follow_up.pairs import NOT_AT_HAND, pairs_to_match
from bingcheng.engine.run import Options, assess
from bingcheng.engine.view import assessment
from bingcheng.image.registration import Registration
from bingcheng.outputs.language import Language
from bingcheng.outputs.machine_readable import as_json
from bingcheng.outputs.tables import write_tables

AT = datetime(2026, 6, 1, 12, 0)  # noqa: DTZ001 - as the database keeps times
WHO = Who(by="reader", at=AT, why="seen on both")


@pytest.fixture(scope="module")
def exams(tmp_path_factory):
    """The folders of both exams. Read only."""
    return follow_up(tmp_path_factory.mktemp("follow-up"))


@pytest.fixture
def quick(monkeypatch):
    """A coarser registration."""
    monkeypatch.setattr(by_images, "RegistrationSettings", lambda: QUICK)


def run(folder, *paths, objects=False, **options):
    """Assess into the workspace; gives the steps that were told, and the assessment.

    Matching reads no DICOM objects made from exams, and to write them takes as long as all the rest. Nor does it ask
    how uncertain a measurement is.
    """
    told = []
    workspace = Workspace.open(folder)
    try:
        with pytest.MonkeyPatch.context() as patched:
            if not objects:
                make_no_objects(patched)
                shorten_uncertainties(patched)
            assess(
                paths,
                workspace,
                Options(workers=1, **options),
                lambda step, done, total: told.append((str(step), total)),
            )
        return told, assessment(workspace)
    finally:
        workspace.close()


def run_quickly(folder, *paths):
    """As `run`, for what is made before a test begins: with the coarser registration."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(by_images, "RegistrationSettings", lambda: QUICK)
        return run(folder, *paths)


@pytest.fixture(scope="module")
def one_after_the_other(exams, tmp_path_factory):
    """A workspace into which each exam came in a run of its own, and what the second run gave. Read only."""
    folder = tmp_path_factory.mktemp("workspace")
    run_quickly(folder, exams[0])
    return folder, *run_quickly(folder, exams[1])


@pytest.fixture
def workspace(one_after_the_other, tmp_path):
    """An own copy of a workspace that holds both exams, matched."""
    shutil.copytree(one_after_the_other[0], tmp_path / "own")
    opened = Workspace.open(tmp_path / "own")
    yield opened
    opened.close()


def forget_what_was_matched(folder):
    """Leave the exams in the workspace as if nobody had tried to match them."""
    opened = Workspace.open(folder)
    with opened.writing() as connection:
        found = [one.pair for one in proposals(connection)]
        assert found
        forget_proposals(connection, found)
    opened.close()


def story(seen):
    return {(v.link.kind.value, v.link.before, v.link.after) for one in seen.follow_up for v in one.links}


def change_of(seen, track):
    return next((one for one in seen.changes if one.lesion == track), None)


STEP = "Matching lesions between time points"


@pytest.mark.slow
def test_what_became_of_each_lesion_is_found_as_a_user_runs_it(exams, tmp_path):
    told, seen = run(tmp_path / "workspace", *exams, objects=True)
    assert (STEP, 1) in told
    assert story(seen) == STORY
    waiting = {v.link.kind.value for one in seen.follow_up for v in one.links if v.link.needs_reader}
    assert waiting == {"split", "merged"}


def test_changes_follow_the_links_and_pieces_are_summed(workspace):
    seen = assessment(workspace)
    volumes = {
        (exam.label, lesion.lesion): one.value
        for exam in seen.exams
        for series in exam.series
        for lesion in series.lesions
        for one in lesion.measurements
        if one.key == "volume"
    }
    assert {one.lesion for one in seen.changes} == {"liver", "left", "near one"}
    split, merged = (change_of(seen, name).lead for name in ("left", "near one"))
    assert split.after.measurement.value == pytest.approx(volumes["E02", "b"] + volumes["E02", "c"])
    assert merged.before.measurement.value == pytest.approx(volumes["E01", "near one"] + volumes["E01", "near two"])
    assert change_of(seen, "left").verdict is Verdict.UNKNOWN  # a reader has to look at a split
    assert change_of(seen, "liver").verdict is not Verdict.UNKNOWN


def test_a_second_run_matches_nothing_again(workspace, exams):
    told, seen = run(workspace.folder, *exams)
    assert STEP not in {step for step, _ in told}
    assert story(seen) == STORY


def test_json_and_tables_tell_each_link(workspace, tmp_path):
    seen = assessment(workspace)
    written = as_json(seen, Language.of("en"))
    (pair,) = written["follow_up"]
    assert {(one["kind"], tuple(one["before"]), tuple(one["after"])) for one in pair["links"]} == STORY
    assert all(0.0 <= one["confidence"] <= 1.0 for one in pair["links"])
    lesions = {
        lesion["lesion"]: lesion["track"]
        for exam in written["exams"]
        for s in exam["series"]
        for lesion in s["lesions"]
    }
    assert lesions["b"] == lesions["c"] == "left"
    write_tables(seen, tmp_path / "tables")
    rows = (tmp_path / "tables" / "lesion_links.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(rows) == 1 + len(STORY)


def decide(workspace, action, *names):
    asked = Deciding(workspace, assessment(workspace, images=False))
    return getattr(asked, action)(names if action in ("link", "unlink") else names[0], WHO)


def test_a_confirmed_split_is_judged(workspace):
    decide(workspace, "link", "E01:left", "E02:b", "E02:c")
    seen = assessment(workspace)
    assert change_of(seen, "left").verdict is Verdict.REAL
    (view,) = [v for one in seen.follow_up for v in one.links if v.link.before == ("left",)]
    assert (view.by, view.why, view.link.needs_reader, view.link.confidence) == ("reader", "seen on both", False, 1.0)


def test_labels_name_lesions_whatever_their_case_and_order(workspace):
    decide(workspace, "link", "e02:A", "E01:Gone")
    assert change_of(assessment(workspace), "gone").names.values()


def test_what_is_unlinked_is_followed_no_more_and_undoing_brings_it_back(workspace):
    decide(workspace, "unlink", "E01:liver", "E02:a")
    assert change_of(assessment(workspace), "liver") is None
    take_back_last(workspace, AT + timedelta(hours=1))
    assert change_of(assessment(workspace), "liver") is not None
    with pytest.raises(InputError) as caught:
        take_back_last(workspace, AT)
    assert caught.value.code == "quantify.matching-nothing-to-undo"


@pytest.mark.parametrize(("action", "name", "track"), [("new", "E02:a", "liver"), ("vanished", "E01:liver", "liver")])
def test_declaring_new_or_vanished_ends_the_link(workspace, action, name, track):
    decide(workspace, action, name)
    assert change_of(assessment(workspace), track) is None


@pytest.mark.parametrize(
    ("action", "names", "code"),
    [
        ("link", ("E01:liver", "E01:left"), "engine.lesions-not-of-two-exams"),
        ("link", ("liver", "E02:a"), "engine.not-a-lesion"),
        ("link", ("E01:lung", "E02:a"), "engine.no-such-lesion"),
        ("link", ("E09:liver", "E02:a"), "engine.lesion-of-no-exam"),
        ("unlink", ("E01:liver", "E02:b"), "engine.lesions-not-linked"),
        ("new", ("E01:liver",), "engine.no-other-exam"),
        ("vanished", ("E02:a",), "engine.no-other-exam"),
    ],
)
def test_a_wrong_decision_is_refused_and_nothing_is_kept(workspace, action, names, code):
    with pytest.raises(InputError) as caught:
        decide(workspace, action, *names)
    assert caught.value.code == code
    assert story(assessment(workspace)) == STORY


@pytest.mark.slow
def test_decisions_hold_when_the_exams_are_assessed_again(workspace, exams, quick):
    decide(workspace, "unlink", "E01:liver", "E02:a")
    _, seen = run(workspace.folder, *exams, again=True)
    assert change_of(seen, "liver") is None
    assert {("vanished", ("liver",), ()), ("new", (), ("a",))} <= story(seen)


def test_a_decision_about_a_lesion_that_is_gone_is_told_and_stops_nothing(workspace, monkeypatch):
    decide(workspace, "link", "E01:gone", "E02:e")
    from sqlalchemy import delete  # noqa: PLC0415

    from bingcheng.archive import schema  # noqa: PLC0415

    with workspace.writing() as connection:
        connection.execute(delete(schema.lesion).where(schema.lesion.c.lesion == "e"))
    refusals = {refusal.code for exam in assessment(workspace).exams for refusal in exam.refusals}
    assert "engine.lesion-decision-lost" in refusals


@pytest.mark.slow
def test_where_names_pair_all_lesions_nothing_is_matched_or_shown(tmp_path):
    ct(tmp_path / "study" / "1")
    ct(tmp_path / "study" / "2", name="anna-2", at=FIRST + timedelta(days=56))
    told, seen = run(tmp_path / "workspace", tmp_path / "study")
    assert len(seen.changes) == 1
    assert STEP not in {step for step, _ in told}
    assert seen.follow_up == ()
    assert all(not lesion.track for exam in seen.exams for series in exam.series for lesion in series.lesions)


def refusal_of(seen):
    (found,) = [r for exam in seen.exams for r in exam.refusals if r.code == "engine.lesions-not-matched"]
    return found


@pytest.fixture
def own_exams(exams, tmp_path):
    """Copies of the folders of both exams, to be moved and changed."""
    return tuple(shutil.copytree(folder, tmp_path / "exams" / folder.name) for folder in exams)


@pytest.fixture
def not_matched(one_after_the_other, own_exams, tmp_path):
    """An own workspace that holds both exams, read from `own_exams` and not matched yet."""
    folder = shutil.copytree(one_after_the_other[0], tmp_path / "own")
    told, _ = run(folder, *own_exams)
    assert STEP not in {step for step, _ in told}
    forget_what_was_matched(folder)
    return folder


@pytest.mark.slow
def test_a_follow_up_that_comes_alone_is_matched_with_the_files_of_the_earlier_run(one_after_the_other):
    _, told, seen = one_after_the_other
    assert (STEP, 1) in told
    assert story(seen) == STORY


@pytest.mark.slow
def test_where_the_earlier_files_are_gone_that_is_told_until_they_are_back(not_matched, own_exams, tmp_path, quick):
    away = tmp_path / "away"
    own_exams[0].rename(away)
    _, seen = run(not_matched, own_exams[1])
    refusal = refusal_of(seen)
    assert str(refusal.reason.facts["reason"]) == NOT_AT_HAND.says
    assert refusal.study_uid == seen.exams[1].uid
    assert seen.follow_up == ()
    away.rename(own_exams[0])
    told, seen = run(not_matched, own_exams[1])
    assert (STEP, 1) in told
    assert story(seen) == STORY
    assert not [exam for exam in seen.exams if exam.refusals]


@pytest.mark.slow
def test_files_whose_lesions_were_changed_since_are_not_matched(not_matched, own_exams, tmp_path, quick):
    few = {"liver": EARLIER["liver"]}
    changed = follow_up(tmp_path / "other", earlier=few)[0]
    shutil.copy(changed / "seg.dcm", own_exams[0] / "seg.dcm")
    _, seen = run(not_matched, own_exams[1])
    assert str(refusal_of(seen).reason.facts["reason"]) == by_images.OTHER_LESIONS.says
    _, seen = run(not_matched, *own_exams)
    assert ("same", ("liver",), ("a",)) in story(seen)


NAMED = {name: EARLIER[name] for name in ("liver", "left")}
"""Lesions that both exams have by name."""


@pytest.fixture(scope="module")
def one_more_later(tmp_path_factory):
    """The exams of a study whose later one has a lesion more. Read only."""
    return follow_up(tmp_path_factory.mktemp("study"), earlier=NAMED, later=NAMED | {"e": LATER["e"]})


@pytest.fixture(scope="module")
def earlier_files_gone(one_more_later, tmp_path_factory):
    """A workspace with that study, the files of whose earlier exam were gone; and what came of it. Read only."""
    root = tmp_path_factory.mktemp("gone")
    folder, gone = root / "workspace", shutil.copytree(one_more_later[0], root / "1")
    run(folder, gone)
    shutil.rmtree(gone)
    return folder, run(folder, one_more_later[1])[1]


def is_told(seen, found, *, reader):
    assert story(seen) == {("same", ("liver",), ("liver",)), ("same", ("left",), ("left",)), found}
    (link,) = [v.link for one in seen.follow_up for v in one.links if v.link.kind.value == found[0]]
    assert link.needs_reader is reader
    assert (link.confidence < 0.9) is reader
    assert any("not drawn" in str(reason) for reason in link.reasons) is reader


@pytest.mark.slow
def test_a_lesion_that_the_later_exam_alone_has_is_looked_for_in_the_earlier_one(
    earlier_files_gone, one_more_later, tmp_path, quick
):
    folder = shutil.copytree(earlier_files_gone[0], tmp_path / "own")
    _, seen = run(folder, *one_more_later)
    is_told(seen, ("new", (), ("e",)), reader=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("earlier", "later", "undrawn", "found", "reader"),
    [
        (NAMED | {"gone": EARLIER["gone"]}, NAMED, frozenset(), ("vanished", ("gone",), ()), False),
        # It is in both exams; the reader of the first one did not draw it.
        (NAMED | {"x": LATER["e"]}, NAMED | {"e": LATER["e"]}, frozenset("x"), ("new", (), ("e",)), True),
        (NAMED | {"e": LATER["e"]}, NAMED | {"x": LATER["e"]}, frozenset("x"), ("vanished", ("e",), ()), True),
    ],
)
def test_a_lesion_that_one_exam_alone_has_is_looked_for_in_the_other(
    tmp_path, quick, earlier, later, undrawn, found, reader
):
    study = follow_up(tmp_path / "study", earlier=earlier, later=later, undrawn=undrawn)
    _, seen = run(tmp_path / "workspace", *study)
    is_told(seen, found, reader=reader)


@pytest.mark.slow
def test_a_piece_without_a_name_is_a_piece_and_no_new_lesion(tmp_path, quick):
    later = NAMED | {"left": LATER["b"], "c": LATER["c"]}
    _, seen = run(tmp_path / "workspace", *follow_up(tmp_path / "study", earlier=NAMED, later=later))
    assert ("split", ("left",), ("c", "left")) in story(seen)


@pytest.mark.slow
def test_an_exam_in_which_only_organs_are_drawn_leaves_every_lesion_to_a_reader(tmp_path, quick):
    organ = {"liver": Said("Liver", code=Code("10200004", "SCT", "Liver"))}
    earlier, later = {"e": LATER["e"]}, {"liver": EARLIER["liver"]}
    study = follow_up(tmp_path / "study", earlier=earlier, later=later, names=organ)
    folder = tmp_path / "workspace"
    run(folder, study[0])
    _, seen = run(folder, study[1])
    ((view,),) = [one.links for one in seen.follow_up]
    assert (view.link.kind.value, view.link.before, view.link.needs_reader) == ("vanished", ("e",), True)
    assert str(by_images.NONE_DRAWN) in map(str, view.link.reasons)
    # What was found is kept by a run that brings neither exam, and matched once.
    told, again = run(folder)
    assert story(again) == story(seen)
    assert STEP not in {step for step, _ in told}


@pytest.mark.slow
def test_without_the_earlier_files_a_lesion_of_one_exam_alone_waits_for_a_reader(earlier_files_gone):
    _, seen = earlier_files_gone
    assert str(refusal_of(seen).reason.facts["reason"]) == NOT_AT_HAND.says
    assert ("new", (), ("e",)) in story(seen)
    (link,) = [v.link for one in seen.follow_up for v in one.links if v.link.kind.value == "new"]
    assert link.needs_reader
    assert link.confidence == 0.0
    # What names pair is judged as before: only its own track waits for a reader.
    assert {change.lesion for change in seen.changes} == {"liver", "left"}
    assert all(change.verdict is not Verdict.UNKNOWN for change in seen.changes)


@pytest.mark.slow
def test_exams_that_cannot_be_registered_are_told_and_the_rest_goes_on(not_matched, own_exams, monkeypatch):
    def failing(*_args):
        raise ZeroDivisionError

    monkeypatch.setattr(by_images, "register", failing)
    _, seen = run(not_matched, *own_exams)
    (refusal,) = [r for exam in seen.exams for r in exam.refusals]
    assert refusal.code == "engine.lesions-not-matched"
    assert "ZeroDivisionError" in str(refusal.reason)
    assert seen.changes == ()


def lesion(name, modality="CT", series="1"):
    return DrawnLesion(series_uid=series, modality=modality, lesion=name, label=name)


def drawn(uid, day, *lesions, patient="P"):
    at = None if day is None else AT + timedelta(days=day)
    return DrawnExam(uid=uid, patient=patient, performed_at=at, fingerprint=f"f{uid}", lesions=tuple(lesions))


def keys(*exams_):
    return [(one.key.earlier_uid, one.key.later_uid, one.key.modality) for one in pairs_to_match(exams_)]


def test_a_pair_is_matched_only_if_a_lesion_has_no_partner():
    assert keys(drawn("1", 0, lesion("a")), drawn("2", 1, lesion("a"))) == []
    assert keys(drawn("1", 0, lesion("a"), lesion("b")), drawn("2", 1, lesion("a"))) == [("1", "2", "CT")]
    assert keys(drawn("1", 0, lesion("a")), drawn("2", 1, lesion("a"), lesion("b"))) == [("1", "2", "CT")]
    assert keys(drawn("1", 0, lesion("a")), drawn("2", 1, lesion("b"))) == [("1", "2", "CT")]


def test_a_partner_on_another_series_or_modality_counts():
    earlier = drawn("1", 0, lesion("a"), lesion("b"))
    assert keys(earlier, drawn("2", 1, lesion("b"), lesion("a", "PT", "2"))) == []
    assert keys(earlier, drawn("2", 1, lesion("b"), lesion("a", series="thick"), lesion("b", series="thick"))) == []


def test_an_exam_without_lesions_counts_if_somebody_looked_and_no_chain_is_broken():
    first, none, last = drawn("1", 0, lesion("a")), drawn("2", 1), drawn("3", 2, lesion("b"))
    looked = {"2": frozenset({"CT"})}

    def pairs(*exams_):
        return [(one.key.earlier_uid, one.key.later_uid) for one in pairs_to_match(exams_, looked)]

    assert keys(first, none) == []
    assert pairs(first, none) == [("1", "2")]
    assert pairs(none, last) == [("2", "3")]
    assert pairs(first, none, last) == [("1", "3")]
    (pair,) = pairs_to_match((first, none), looked)
    assert (pair.earlier.series, pair.later.series) == ("1", "")
    assert [(link.kind.value, link.before) for link in pair.by_names.links] == [("vanished", ("a",))]


def test_modalities_patients_and_undated_exams_are_never_mixed():
    assert keys(drawn("1", 0, lesion("a")), drawn("2", 1, lesion("b", "MR"))) == []
    assert keys(drawn("1", 0, lesion("a")), drawn("2", 1, lesion("b"), patient="Q")) == []
    assert keys(drawn("1", 0, lesion("a")), drawn("2", None, lesion("b"))) == []


def test_neighbours_in_time_are_matched_whatever_lies_between_in_other_modalities():
    exams_ = drawn("1", 0, lesion("a")), drawn("2", 1, lesion("z", "PT")), drawn("3", 2, lesion("b"))
    assert keys(*exams_) == [("1", "3", "CT")]


def test_the_series_with_most_lesions_is_the_one_that_is_read():
    exams_ = (
        drawn("1", 0, lesion("a", series="thick"), lesion("a", series="thin"), lesion("c", series="thin")),
        drawn("2", 1, lesion("b")),
    )
    (pair,) = pairs_to_match(exams_)
    assert (pair.earlier.series, pair.later.series) == ("thin", "1")


def test_a_label_that_several_lesions_carry_pairs_nothing():
    numbered = (
        DrawnLesion(series_uid="1", modality="CT", lesion=name, label="tumour") for name in ("tumour", "tumour #2")
    )
    two = tuple(numbered)
    assert keys(drawn("1", 0, *two), drawn("2", 1, *two)) == [("1", "2", "CT")]
    # Numbered identifiers are one lesion drawn on two phases, and pair.
    phases = tuple(DrawnLesion(series_uid="1", modality="CT", lesion=n, label="tumour") for n in ("1.2", "1.2 #2"))
    assert keys(drawn("1", 0, *phases), drawn("2", 1, *phases)) == []


@pytest.fixture(scope="module")
def of_one_label(tmp_path_factory):
    """The exams of a study whose lesions all have one label, a workspace with them, matched, and what it shows.

    The later exam has them in the other order. Read only.
    """
    root, names = tmp_path_factory.mktemp("one-label"), ("liver", "left")
    earlier = {name: EARLIER[name] for name in names}
    later = {name: EARLIER[name] for name in reversed(names)}
    study = follow_up(root / "study", names={name: Said("tumour") for name in names}, earlier=earlier, later=later)
    return study, root / "workspace", run_quickly(root / "workspace", *study)[1]


@pytest.mark.slow
def test_lesions_of_one_label_are_told_apart_by_the_images_whatever_their_order(of_one_label):
    *_, seen = of_one_label
    assert story(seen) == {("same", ("tumour",), ("tumour #2",)), ("same", ("tumour #2",), ("tumour",))}
    percent = [change.lead.percent for change in seen.changes]
    # Both kept their size; taken for each other they would have changed by more than half.
    assert len(percent) == 2
    assert max(abs(one) for one in percent) < 40.0


@pytest.mark.slow
def test_lesions_of_one_label_stay_apart_where_the_images_can_not_be_matched(of_one_label, tmp_path, monkeypatch):
    def failing(*_args):
        raise ZeroDivisionError

    monkeypatch.setattr(by_images, "register", failing)
    study, matched, _ = of_one_label
    folder = shutil.copytree(matched, tmp_path / "own")
    forget_what_was_matched(folder)
    told, seen = run(folder, *study)
    assert (STEP, 1) in told
    assert seen.changes == ()
    assert seen.follow_up == ()


@pytest.mark.slow
def test_labels_with_the_patients_name_are_matched_and_stored_without_it(tmp_path, quick):
    called = {"liver": Said("Quellberg liver"), "a": Said("a of Annabeth")}
    lesions = {"earlier": {"liver": EARLIER["liver"]}, "later": {"a": EARLIER["liver"]}}
    study = follow_up(tmp_path / "study", names=called, **lesions)
    _, seen = run(tmp_path / "workspace", *study)
    assert story(seen) == {("same", ("liver",), ("a of",))}
    with sqlite3.connect(tmp_path / "workspace" / "bingcheng.sqlite") as connection:
        (stored,) = connection.execute("SELECT record FROM matching").fetchone()
    connection.close()
    assert "liver" in stored
    assert not [word for word in ("Quellberg", "Annabeth", "KH-70412") if word in stored]


@pytest.mark.slow
@pytest.mark.parametrize(("write", "unit"), [(pet, "g/ml"), (dwi, "{arbitrary}")])
def test_pet_is_registered_as_suv_and_diffusion_by_its_lowest_weighting(tmp_path, monkeypatch, write, unit):
    seen_units = []

    def still(fixed, moving, _settings):
        seen_units.extend((fixed.unit, moving.unit))
        assert min(fixed.voxels.shape) > 1
        return Registration.identity(fixed.geometry, moving.geometry)

    monkeypatch.setattr(by_images, "register", still)
    for number in (1, 2):  # another name gives the lesion another identifier; the number says that it is one patient
        write(tmp_path / "study" / str(number), name=f"exam-{number}", patient=replace(BRUNO, name=f"Name{number}"))
    _, seen = run(tmp_path / "workspace", tmp_path / "study")
    assert seen_units == [unit, unit]
    ((view,),) = [one.links for one in seen.follow_up]
    assert (view.link.kind.value, view.link.needs_reader) == ("same", True)
    assert any("different tracking identifiers" in str(one) for one in view.link.reasons)
