"""Features of an exam's lesions in the main job: asked for, kept, left, written into a report of their own."""

from __future__ import annotations

import json
from dataclasses import replace

import pydicom
import pytest
from tests.engine.making import ct

from bingcheng.archive.retrieval import exams, fingerprints
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import InputError
from bingcheng.engine.radiomics.asked import Asked
from bingcheng.engine.radiomics.cohorts import cohorts
from bingcheng.engine.run import Options, assess

FEW = {"families": ["statistics", "cooccurrence"], "discretisation": {"method": "fixed bin size", "width": 25.0}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("exam")
    ct(made)
    return made


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    path = tmp_path_factory.mktemp("settings") / "few.json"
    path.write_text(json.dumps(FEW))
    return path


@pytest.fixture(scope="module")
def workspace(folder, settings, tmp_path_factory):
    opened = Workspace.open(tmp_path_factory.mktemp("workspace"))
    assert run(folder, opened, radiomics=Asked.by(settings)).assessed == 1
    yield opened
    opened.close()


def run(folder, workspace, **options):
    return assess([folder], workspace, Options(workers=1, **options), lambda *_: None)


def features(workspace):
    (record,) = exams(workspace, images=False)
    return [found for series in record.series for lesion in series.lesions for found in lesion.radiomics]


def test_every_lesion_has_its_features_with_uncertainty(workspace):
    (found,) = features(workspace)
    named = {one.tag: one for one in found.features()}
    assert len(named) == 18 + 25
    # The same voxels as those of the measure: nothing is interpolated, and all intensities count.
    (record,) = exams(workspace, images=False)
    measured = {one.key: one.value for series in record.series for one in series.lesions[0].measurements}
    assert named["stat_mean"].value == pytest.approx(measured["hu_mean"], rel=1e-6)
    assert named["stat_mean"].standard_uncertainty > 0.0
    assert named["cm_joint_entr_3D_comb"].ibsi == "TU9B:IAZD"
    assert set(found.components) == {"contour", "rotation", "noise", "bins"}  # nothing is interpolated
    assert found.provenance.inputs


def test_a_later_run_goes_on_with_what_was_asked_for(folder, workspace):
    before = features(workspace)
    tally = run(folder, workspace)
    assert (tally.assessed, tally.unchanged) == (0, 1)
    assert features(workspace) == before


def test_the_report_names_features_by_the_ibsi_and_aggregations_as_methods(workspace):
    (path,) = workspace.folder.rglob("*-radiomics-sr.dcm")
    report = pydicom.dcmread(path)
    found = {}
    for item in walked(report):
        if item.ValueType == "NUM" and "MeasuredValueSequence" in item:
            name = item.ConceptNameCodeSequence[0]
            found[name.CodeValue] = (name.CodingSchemeDesignator, item)
    scheme, variance = found["ECT3"]
    assert scheme == "IBSI"
    assert variance.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0].CodeValue == "[hnsf'U]2"
    entropy = found["TU9B"][1]
    coded = {one.ConceptNameCodeSequence[0].CodeMeaning: one for one in entropy.ContentSequence}
    assert coded["Measurement Method"].ConceptCodeSequence[0].CodeValue == "IAZD"
    assert any("uncertainty" in meaning for meaning in coded)


def walked(dataset):
    for item in dataset.get("ContentSequence", ()):
        yield item
        yield from walked(item)


def test_a_lesion_seen_twice_counts_once_in_its_cohort(workspace):
    (record,) = exams(workspace, images=False)
    (cohort,) = cohorts([record, record], {record.uid: "P-1"})
    assert cohort.lesions == 1
    assert {one.code for one in cohort.reliability.values()} == {"compare.too-few-lesions-to-grade"}
    (two,) = cohorts([record, _renamed(record)], {record.uid: "P-1", "other": "P-2"})
    assert two.lesions == 2


def _renamed(record):
    return replace(record, uid="other")


def test_fingerprints_change_with_the_settings_and_only_where_features_are_asked_for(folder, settings, tmp_path):
    opened = Workspace.open(tmp_path)
    try:
        run(folder, opened)
        plain = fingerprints(opened)
        assert features(opened) == []
        assert run(folder, opened, radiomics=Asked.by(settings)).assessed == 1
        asked = fingerprints(opened)
        assert asked != plain
        assert run(folder, opened, no_radiomics=True).assessed == 1
        assert fingerprints(opened) == plain
        assert features(opened) == []
        assert not list(tmp_path.rglob("*-radiomics-sr.dcm"))
        assert run(folder, opened).unchanged == 1
    finally:
        opened.close()


def test_other_settings_are_another_fingerprint(settings, tmp_path):
    other = tmp_path / "other.json"
    other.write_text(json.dumps(FEW | {"discretisation": {"method": "fixed bin size", "width": 10.0}}))
    assert len({Asked().fingerprint, Asked.by(settings).fingerprint, Asked.by(other).fingerprint}) == 3


def test_settings_that_are_wrong_stop_before_anything_is_assessed(tmp_path):
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"familie": []}')
    with pytest.raises(InputError) as caught:
        Asked.by(wrong)
    assert caught.value.code == "quantify.radiomics-setting-unknown"
