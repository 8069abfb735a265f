"""Files that no program can use, as every archive holds some: each must become a refusal with a reason."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np

from bingcheng.dicom.acquisition import CtAcquisition, Device
from bingcheng.dicom.exam import Patient
from bingcheng.dicom.write.ct import write_ct
from bingcheng.dicom.write.header import StudyHeader, uid_of
from bingcheng.engine.demo.stories import LONGTAN
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.volume import Volume

WORDS = "This is a letter that someone saved with the wrong ending. It holds no image.\n"


def write_oddities(folder: Path, seed: int) -> tuple[tuple[str, str], ...]:
    """Write a text that calls itself DICOM, an empty file and a file cut off in transfer.

    Returns
    -------
    Each file relative to `folder`, and what is wrong with it.
    """
    odd = folder / "inbox"
    odd.mkdir(parents=True, exist_ok=True)
    (odd / "letter.dcm").write_text(WORDS, encoding="utf-8")
    (odd / "empty.dcm").write_bytes(b"")
    whole = _slice(odd, seed)
    content = whole.read_bytes()
    (odd / "cut-off.dcm").write_bytes(content[: len(content) // 2])
    whole.unlink()
    whole.parent.rmdir()
    return (
        ("inbox/letter.dcm", "a text, not DICOM"),
        ("inbox/empty.dcm", "an empty file"),
        ("inbox/cut-off.dcm", "cut off within its pixels"),
    )


def _slice(folder: Path, seed: int) -> Path:
    """A small CT of nobody."""
    moment = datetime.fromisoformat("2026-04-03T16:00")
    uid = uid_of("bingcheng demo", str(seed), "cut-off")
    volume = Volume(
        voxels=np.zeros((1, 128, 128), dtype=np.float32),
        geometry=VolumeGeometry(shape=(1, 128, 128), spacing_mm=(5.0, 3.0, 3.0)),
        unit="[hnsf'U]",
    )
    facts = CtAcquisition(
        modality="CT",
        device=Device(vendor="CANON", manufacturer="Canon Medical Systems", model="Aquilion ONE", institution=LONGTAN),
        series_uid=uid_of(uid, "series"),
        series_description="Transfer broke off",
        image_type=("ORIGINAL", "PRIMARY", "AXIAL"),
        started_at=moment,
        patient_position="HFS",
    )
    study = StudyHeader(
        uid=uid_of(uid, "study"),
        patient=Patient(patient_id="DEMO-0005", name="Zhao^Liu=赵^六"),
        performed_at=moment,
        description="Incomplete transfer",
    )
    return write_ct(volume, facts, study, folder / "whole", series_number=1)[0]
