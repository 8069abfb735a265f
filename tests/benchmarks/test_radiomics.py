"""The radiomics benchmarks run at a tiny size, and read what other programs call their features."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys

import pytest
from benchmarks import filters, radiomics, radiomics_lesions
from benchmarks.clock import ContenderError
from benchmarks.radiomics_answers import apart, lacking, of_mirp, of_pictologics, of_pyradiomics
from benchmarks.settings import Settings


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """With lesions in a small image, made in this process, as are the phantoms: `made_here`."""
    settings = Settings(scratch=tmp_path_factory.mktemp("benchmarks"), repeats=1, lesions=6, warming=6, peers=False)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(radiomics_lesions, "SHAPE", (40, 48, 48))
        patched.setattr(radiomics_lesions, "RADII", {"2k": radiomics_lesions.RADII["2k"], "400k": 9.0})
        patched.setattr(subprocess, "run", made_here)
        radiomics.lesions(settings)
    return settings


def made_here(command: list[str], **_how: object) -> None:
    """``python -m MODULE FOLDER`` without another process, whose start takes longer."""
    python, option, module, folder = command
    assert (python, option) == (sys.executable, "-m")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "argv", [module, folder])
        importlib.import_module(module).main()


@pytest.mark.slow
def test_a_call_gives_every_feature(tiny):
    found = radiomics.run_lesion(tiny, size="2k")
    assert [one.name for one in found.series] == [radiomics.OURS]
    assert found.series[0].samples[0].facts["values"] == radiomics.FEATURES
    assert len(json.loads((tiny.scratch / "answer-bingcheng-2k.json").read_text())) == radiomics.FEATURES


@pytest.mark.slow
def test_every_lesion_is_measured_whatever_the_workers(tiny):
    found = radiomics.run_many(tiny)
    assert {sample.facts["lesions"] for one in found.series for sample in one.samples} == {6}


@pytest.mark.slow
def test_every_map_of_the_table_is_made(tiny, monkeypatch):
    started = subprocess.run
    monkeypatch.setattr(
        subprocess, "run", lambda command, **how: (made_here if "-m" in command else started)(command, **how)
    )
    found = filters.run(tiny)
    assert {sample.facts["maps"] for one in found.series for sample in one.samples} == {filters.MAPS}


def test_names_of_other_programs_become_the_tags_of_the_tables():
    assert of_pictologics(
        {
            "mean_intensity_Q4LE": 1.0,
            "10th_discretised_intensity_percentile_1PR": 2.0,
            "minimum_discretised_intensity_1PR8": 3.0,
            "volume_at_intensity_fraction_0.10_BC2M_10": 4.0,
            "joint_maximum_GYBY": 5.0,
            "coarseness_QCDE": 6.0,
        }
    ) == {
        "stat_mean": 1.0,
        "ih_p10": 2.0,
        "ih_min": 3.0,
        "ivh_v10": 4.0,
        "cm_joint_max_3D_comb": 5.0,
        "ngt_coarseness_3D": 6.0,
    }
    mirp = {"cm_energy_d1_3d_v_mrg_fbn_n32": 1.0, "ngl_lde_d1_a0.0_3d_fbn_n32": 2.0, "ih_mean_fbn_n32": 3.0}
    assert of_mirp(mirp) == {"cm_energy_3D_comb": 1.0, "ngl_lde_3D": 2.0, "ih_mean": 3.0}
    pyradiomics = {"glcm_Id": 1.0, "glszm_ZonePercentage": 2.0, "firstorder_Mean": 3.0, "glcm_MCC": 4.0}
    assert of_pyradiomics(pyradiomics) == {"cm_inv_diff_3D_avg": 1.0, "szm_z_perc_3D": 2.0, "stat_mean": 3.0}


def test_answers_part_where_values_differ_or_one_is_lacking():
    assert apart({"a": 1.0, "b": 2.0, "c": 3.0}, {"a": 1.0 + 1e-9, "b": 2.1}, 1e-6) == {"b": (2.0, 2.1)}
    assert lacking({"a": 1.0, "b": 2.0}, {"a": 1.0, "c": 3.0}, excused=("c",)) == ("b",)


def test_a_program_that_does_less_is_no_contender():
    pictologics = radiomics.PEERS[0]
    assert "none" in radiomics._agreement(pictologics, {"stat_mean": 1.0}, {"stat_mean": 1.0})
    assert "ivh_auc" in radiomics._agreement(pictologics, {"ivh_auc": 1.0}, {"ivh_auc": 2.0})
    with pytest.raises(ContenderError, match="stat_mean"):
        radiomics._agreement(pictologics, {"stat_mean": 1.0}, {"stat_mean": 1.1})
    with pytest.raises(ContenderError, match="stat_var"):
        radiomics._agreement(pictologics, {"stat_mean": 1.0, "stat_var": 1.0}, {"stat_mean": 1.0})
