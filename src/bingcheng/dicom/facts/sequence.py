"""The words for an MR pulse sequence: those of classic images, also for enhanced ones, which use other attributes.

Enhanced objects have neither ScanningSequence nor SequenceVariant nor ScanOptions (PS3.3 C.8.3.1 and C.8.13.4); what
they say instead is put into the classic words, so that one rule judges both.
"""

from __future__ import annotations

from bingcheng.dicom.facts.tags import Tags

Words = tuple[str, ...]


def scanning_sequence(header: Tags) -> Words:
    """SE, IR, GR, EP, RM as in (0018,0020)."""
    classic = header.texts("ScanningSequence")
    if classic:
        return tuple(word.upper() for word in classic)
    echoes = {"SPIN": ("SE",), "GRADIENT": ("GR",), "BOTH": ("SE", "GR")}
    return (
        *(("EP",) if _said(header, "EchoPlanarPulseSequence") == "YES" else ()),
        *echoes.get(_said(header, "EchoPulseSequence"), ()),
        *(("IR",) if inversion_recovery(header) else ()),
    )


def sequence_variant(header: Tags) -> Words:
    """SK, MTC, SS, SP, MP, OSP or NONE as in (0018,0021)."""
    classic = header.texts("SequenceVariant")
    if classic:
        return tuple(word.upper() for word in classic)
    if not _said(header, "EchoPulseSequence"):
        return ()
    prepared = inversion_recovery(header) or _said(header, "T2Preparation") == "YES"
    found = (
        ("SK", _said(header, "SegmentedKSpaceTraversal") in ("PARTIAL", "FULL")),
        ("MTC", _used(header, "MagnetizationTransfer")),
        ("SS", _used(header, "SteadyStatePulseSequence")),
        ("SP", _used(header, "Spoiling")),
        ("MP", prepared and _said(header, "EchoPulseSequence") == "GRADIENT"),
        ("OSP", _used(header, "OversamplingPhase")),
    )
    return tuple(word for word, used in found if used) or ("NONE",)


def scan_options(header: Tags) -> Words:
    """The words of (0018,0022); of enhanced objects FC, PFP, PFF, SP, FS, CG and RG."""
    classic = header.texts("ScanOptions")
    if classic:
        return tuple(word.upper() for word in classic)
    partial = _said(header, "PartialFourierDirection") if _said(header, "PartialFourier") == "YES" else ""
    found = (
        ("FC", _used(header, "FlowCompensation")),
        ("PFP", partial in ("PHASE", "COMBINATION")),
        ("PFF", partial in ("FREQUENCY", "COMBINATION")),
        ("SP", _used(header, "SpatialPresaturation")),
        ("FS", _said(header, "SpectrallySelectedSuppression") in ("FAT", "FAT_AND_WATER")),
        ("CG", _used(header, "CardiacSynchronizationTechnique")),
        ("RG", _said(header, "RespiratoryMotionCompensationTechnique") in ("GATING", "TRACKING", "TRIGGER")),
    )
    return tuple(word for word, used in found if used)


def inversion_recovery(header: Tags) -> bool:
    """Whether an inversion pulse prepares the sequence."""
    words = {word.upper() for word in header.texts("ScanningSequence")}
    return "IR" in words or _said(header, "InversionRecovery") == "YES"


def acquisition_contrast(header: Tags) -> str | None:
    """(0008,9209) in DICOM's terms (PS3.3 table C.8-86); None where it says UNKNOWN."""
    said = _said(header, "AcquisitionContrast")
    return said if said and said != "UNKNOWN" else None


def _said(header: Tags, keyword: str) -> str:
    return (header.text(keyword) or "").upper()


def _used(header: Tags, keyword: str) -> bool:
    return _said(header, keyword) not in ("", "NONE", "NO")
