"""The series that MR protocols expect are recognised whichever vendor wrote them and whatever they are called."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.protocol import exams_mr
from tests.protocol.recognition import vendors

from bingcheng.core.finding import Outcome
from bingcheng.dicom.acquisition import Device
from bingcheng.protocol.conformance import judge
from bingcheng.protocol.library import protocol
from bingcheng.protocol.supplied import Supplied

MISLEADING = (
    "t1_vibe_tra nativ",
    "T2 FSE sag",
    "ep2d_diff ADC",
    "FLAIR dark fluid cor",
    "DYN KM spaet",
    "平扫 冠状 MIP",
)
NAMES = {
    "nameless": lambda nth: {"series_description": None, "protocol_name": None, "sequence_name": None},
    "misnamed": lambda nth: {"series_description": MISLEADING[nth % len(MISLEADING)], "protocol_name": "head coil"},
}


def family(series):
    """The kind of sequence by which vendors' words are looked up."""
    words = set(series.scanning_sequence)
    if "EP" in words:
        return "epi_gre" if "GR" in words else "dwi"
    if "GR" in words:
        return "mprage" if "IR" in words else "gre"
    if "IR" in words:
        return "ir_tse"
    return "tse3d" if series.acquisition_type == "3D" else "tse"


def by_vendor(series, vendor, names):
    scanning, variant = vendors.words(family(series), vendor)
    facts = {"device": Device(vendor=vendor), "scanning_sequence": scanning, "sequence_variant": variant}
    return replace(series, **facts, **names)


TWINS = {"T1_IP_OP": ("T1_IN_PHASE",)}
"""Series that fill a role just as well: the in-phase and the opposed-phase images of one acquisition."""


@pytest.mark.parametrize("called", NAMES)
@pytest.mark.parametrize("vendor", vendors.ORIGINAL)
@pytest.mark.parametrize("name", exams_mr.CONFORMING)
def test_every_series_is_recognised(name, vendor, called):
    roles, supplied = exams_mr.CONFORMING[name]()
    series = {one.series_uid: one for one in roles.values()}.values()
    exam = [by_vendor(one, vendor, NAMES[called](nth)) for nth, one in enumerate(series)]
    found = [
        f for f in judge(protocol(name), exam, supplied=Supplied(exam=supplied)) if f.criterion.startswith("role.")
    ]
    assert {f.criterion: f.outcome for f in found if f.outcome is not Outcome.PASS} == {}
    judged = {f.role: f.series_uid for f in found if f.series_uid is not None}
    meant = {key: {roles[one].series_uid for one in (key, *TWINS.get(key, ())) if one in roles} for key in judged}
    assert {role: uid for role, uid in judged.items() if uid not in meant[role]} == {}
