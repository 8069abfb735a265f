"""A cleaned object breaks no rule of the standard that its original kept: one of each kind among real ones."""

from __future__ import annotations

import re

import pytest
from tests.archive.deidentify.making import KEY

from bingcheng.archive.deidentify.batch import Approval, Deidentifier
from bingcheng.archive.deidentify.profile import Profile, known_profiles
from bingcheng.dicom.index.elements import Broken, NotDicom, read_elements
from bingcheng.dicom.index.values import plain

KIND = (0x00020010, 0x00080016, 0x00080060, 0x00080070)
OBJECT = 0x00080018
LEFT_OUT = 1
"""A secondary capture, for which a person has to look first."""


def without_uids(complaints):
    return {re.sub(r"\d+(?:\.\d+){3,}|\d\.\d+\.\d{15,}", "UID", one) for one in complaints}


@pytest.fixture(scope="module")
def one_of_each_kind(reference_data):
    """By transfer syntax, kind of object, modality and maker: the file and its UID."""
    found = {}
    for path in sorted(reference_data.rglob("*")):
        if not path.is_file():
            continue
        with path.open("rb") as stream:
            try:
                header = read_elements(stream, path.stat().st_size, {*KIND, OBJECT}).values
            except (Broken, NotDicom):
                continue
        kind = tuple(plain(header.get(tag)) for tag in KIND)
        if kind[1] is not None:
            found.setdefault(kind, (path, plain(header[OBJECT])))
    return list(found.values())


def test_no_complaint_is_new(one_of_each_kind, complaints, tmp_path):
    profiles = [Profile.named(name) for name in known_profiles()]
    cleaned, worse, waiting = tmp_path / "cleaned.dcm", {}, 0
    for number, (path, uid) in enumerate(one_of_each_kind):
        profile = profiles[number % len(profiles)]
        result = Deidentifier(profile=profile, key=KEY, approvals={uid: Approval(face_allowed=True)}).one(
            path.read_bytes()
        )
        if result.data is None:
            waiting += 1
            continue
        cleaned.write_bytes(result.data)
        more = without_uids(complaints(cleaned)) - without_uids(complaints(path))
        if more:
            worse[path.name, profile.name] = more
    assert len(one_of_each_kind) > 12
    assert waiting <= LEFT_OUT
    assert worse == {}
