"""Regions of the body as headers name them, and which protocols an exam is judged by without being asked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.protocol import exams_mr

from bingcheng.protocol.attributes import ExamFacts, attributes
from bingcheng.protocol.conformance import choose
from bingcheng.protocol.library import protocol, protocols

NAMES = {
    "MRI Prostate with and without contrast": {"prostate"},
    "mpMRT Prostata": {"prostate"},
    "前列腺平扫+增强": {"prostate"},
    "t2_tse_tra_Prostata_p2": {"prostate"},
    "MRT Leber": {"liver"},
    "LeberMRT": {"liver"},
    "肝脏动态增强": {"liver"},
    "肝胆胰脾": {"liver", "pancreas"},
    "Mamma bds.": {"breast"},
    "MR-Mammographie": {"breast"},
    "BREAST": {"breast"},
    "双乳腺": {"breast"},
    "Schädel": {"brain"},
    "颅脑平扫": {"brain"},
    "HEAD": {"brain"},
    "Rektumkarzinom Staging": {"rectum"},
    "直肠高分辨": {"rectum"},
    "Uterus": {"uterus"},
    "宫颈癌": {"cervix"},
    "Zervixkarzinom": {"cervix"},
    "endometrial cancer": {"endometrium"},
    "BLADDER": {"bladder"},
    "Harnblase": {"bladder"},
    "膀胱": {"bladder"},
    "MRI pancreas": {"pancreas"},
    "WHOLEBODY": {"whole_body"},
    "Ganzkörper": {"whole_body"},
    "ABDOMENPELVIS": {"abdomen", "pelvis"},
    "CHESTABDPELVIS": {"lung", "abdomen", "pelvis"},
    "LSPINE": {"spine"},
    "Brustwirbelsäule": {"spine"},
    # What names a region and means something else.
    "MRCP gall bladder": set(),
    "GALLBLADDER": set(),
    "胆囊": set(),
    "gall bladder and bladder": {"bladder"},
    "femoral head": set(),
    "head coil": set(),
    "brain, head coil": {"brain"},
    "pancreatic head": {"pancreas"},
    "renal pelvis": set(),
    "t2 sag rectal gel": set(),
    "子宫内膜异位症": set(),
    "Endometriose": set(),
    "t2_tse_tra": set(),
    "unspecific": set(),
}
BY_DEFAULT = {
    "prostate_mpmri_pirads21": ("PROSTATE", "MRT Prostata", "前列腺"),
    "breast_mr_acr": ("BREAST", "Mamma", "乳腺"),
    "rectal_mr_esgar2016": ("RECTUM", "MRT Rektum", "直肠癌"),
    "gyn_uterus_mr_esur": ("CERVIX", "Zervix", "宫颈"),
    "bladder_mr_virads": ("BLADDER", "MRT Harnblase", "膀胱"),
}


def series_of(name: str, **facts):
    return [replace(one, **{"body_part": None, **facts}) for one in exam_of(name)]


def exam_of(name: str):
    roles, _ = exams_mr.CONFORMING[name]()
    return list({one.series_uid: one for one in roles.values()}.values())


def regions(*series):
    return attributes()["derived.named_regions"].read(ExamFacts(acquisitions=tuple(series)))


@pytest.mark.parametrize("entry", ["body_part", "study_description", "series_description", "protocol_name"])
def test_every_entry_that_names_a_region_is_read(entry):
    found = {name: set(regions(exams_mr.t2(1, 0, **{entry: name})).value or ()) for name in NAMES}
    assert found == NAMES


def test_the_regions_of_all_series_count_and_each_name_speaks_for_itself():
    told = regions(
        exams_mr.t2(1, 0, body_part="BLADDER", series_description="cor gall bladder"),
        exams_mr.t2(2, 5, protocol_name="Prostata"),
    )
    assert told.value == ("prostate", "bladder")


def test_where_nothing_is_named_the_region_is_unknown_and_the_console_can_mend_it():
    told = regions(exams_mr.t2(1, 0), exams_mr.t2(2, 5, body_part=""))
    assert told.value is None
    assert "region" in str(told.why)
    assert "console" in str(told.supply)


@pytest.mark.parametrize("name", BY_DEFAULT)
def test_a_protocol_is_chosen_by_default_where_the_exam_names_its_region(name):
    body_part, german, chinese = BY_DEFAULT[name]
    for facts in ({"body_part": body_part}, {"study_description": german}, {"protocol_name": chinese}):
        assert protocol(name) in choose(protocols(), series_of(name, **facts))


@pytest.mark.parametrize("name", BY_DEFAULT)
def test_a_protocol_of_a_region_that_nothing_names_is_judged_when_asked_for_only(name):
    unnamed = series_of(name)
    assert protocol(name) not in choose(protocols(), unnamed)
    assert protocol(name) in choose(protocols(), unnamed, asked=[name])


@pytest.mark.parametrize("name", BY_DEFAULT)
def test_an_exam_of_another_region_is_not_judged_by_default(name):
    assert protocol(name) not in choose(protocols(), series_of(name, body_part="KNEE", study_description="Knie"))


def test_an_exam_of_the_gallbladder_is_not_judged_as_one_of_the_bladder():
    exam = series_of("bladder_mr_virads", body_part="GALLBLADDER", study_description="MRCP gall bladder")
    assert protocol("bladder_mr_virads") not in choose(protocols(), exam)


def test_a_region_without_the_series_that_tell_the_protocol_does_not_choose_it():
    only_dynamic = [exams_mr.t1_volume(1, 0, body_part="PROSTATE")]
    assert protocol("prostate_mpmri_pirads21") not in choose(protocols(), only_dynamic)


@pytest.mark.parametrize("name", [key for key in exams_mr.CONFORMING if key not in BY_DEFAULT])
def test_a_protocol_whose_purpose_no_header_tells_is_judged_when_asked_for_only(name):
    assert protocol(name) not in choose(protocols(), exam_of(name))
    assert protocol(name) in choose(protocols(), exam_of(name), asked=[name])
