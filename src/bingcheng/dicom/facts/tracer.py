"""Which radiopharmaceutical was injected, by one name whatever the code scheme or the language of the header.

Codes: PS3.16 CID 4021, PET Radiopharmaceutical, in its schemes and in the retired SNOMED RT identifiers. Names are
recognised in English, German, French and Chinese, and as brands; a name that could be two is none ("PSMA" alone).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from bingcheng.core.codes import Code
from bingcheng.dicom.facts.series import SeriesFacts
from bingcheng.dicom.facts.tags import Tags

_SNOMED_RT = frozenset(("SRT", "SNM3", "99SDM"))
"""Three names of one scheme (PS3.16 section 8)."""

CODES: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        **dict.fromkeys((("SCT", "35321007"), ("SRT", "C-B1031")), "FDG"),
        **dict.fromkeys((("SCT", "456992002"), ("SRT", "C-E0273"), ("DCM", "126703")), "CHOLINE"),
        **dict.fromkeys((("SCT", "457000009"), ("SRT", "C-E026A")), "FLUCICLOVINE"),
        **dict.fromkeys((("SCT", "129501009"), ("SRT", "C-B1032")), "NAF"),
        **dict.fromkeys((("SCT", "129502002"), ("SRT", "C-B1036")), "FLT"),
        **dict.fromkeys((("SCT", "424708001"), ("SRT", "C-B07E0")), "FET"),
        **dict.fromkeys((("SCT", "422598008"), ("SRT", "C-B07E1")), "FMISO"),
        **dict.fromkeys((("SCT", "129510001"), ("SRT", "C-B103E")), "METHIONINE"),
        **dict.fromkeys((("SCT", "129513004"), ("SRT", "C-B1043")), "ACETATE"),
        **dict.fromkeys((("SCT", "5811000122108"), ("SRT", "C-E0241")), "FDOPA"),
        ("SCT", "926372005"): "FES",
        ("SCT", "724025002"): "DOTATATE",
        ("UMLS", "C2713594"): "DOTATOC",
        ("NCIT", "C118961"): "PSMA-11",
        ("NCIT", "C116352"): "DCFPYL",
        ("DCM", "126758"): "PSMA-1007",
        ("DCM", "126759"): "PSMA-617",
    }
)
"""By coding scheme and value."""

_F18, _GA68, _CU64, _C11 = "F-18", "Ga-68", "Cu-64", "C-11"
LABELS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        **{name: frozenset((_F18,)) for name in ("FDG", "PSMA-1007", "DCFPYL", "FLUCICLOVINE", "FLT", "FES", "NAF")},
        **{name: frozenset((_F18,)) for name in ("FET", "FMISO", "FDOPA")},
        **{name: frozenset((_GA68,)) for name in ("PSMA-11", "PSMA-617", "DOTANOC")},
        **{name: frozenset((_C11,)) for name in ("METHIONINE", "ACETATE")},
        "CHOLINE": frozenset((_C11, _F18)),
        "DOTATATE": frozenset((_GA68, _CU64)),
        "DOTATOC": frozenset((_GA68, _CU64)),
        "FAPI-04": frozenset((_GA68, _F18)),
        "FAPI-46": frozenset((_GA68, _F18)),
    }
)
"""The radionuclides with which each is labelled."""

# Short names must stand alone, but for the label before them ("18FFDG", "F18FDG"): FDGal is another sugar.
_SHORT: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "FDG": re.compile(r"(?<![A-EG-Z])FDG(?![A-Z])"),
        "FLT": re.compile(r"(?<![A-EG-Z])FLT(?![A-Z])"),
        "FES": re.compile(r"(?<![A-EG-Z])FES(?![A-Z])"),
        "FET": re.compile(r"(?<![A-EG-Z])FET(?![A-Z])"),
        "NAF": re.compile(r"(?<![A-Z])NAF(?![A-Z])"),
        "CHOLINE": re.compile(r"(?<![A-EG-Z])FCH(?![A-Z])"),
        "FMISO": re.compile(r"(?<![A-EG-Z])F-?MISO(?![A-Z])"),
        "FDOPA": re.compile(r"(?<![A-EG-Z])F-?(?:L-?)?DOPA(?![A-Z])"),
    }
)
# Long names are sought among letters and digits alone: "Fluor-Desoxy-Glukose", "PSMA 1007", "FAPI-46".
_LONG: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "FDG": re.compile(r"FLU(?:ORO?|DE)?DE?S?OXYGLU[CK]OSE|FLUDEOXYGLUCOSE|(?:氟代?|18F?)?(?:脱|去)氧葡萄?糖"),
        "PSMA-11": re.compile(r"PSMA11(?!\d)|PSMAHBED|HBEDCC|GOZETOTIDE?"),
        "PSMA-1007": re.compile(r"PSMA1007"),
        "PSMA-617": re.compile(r"PSMA617"),
        "DCFPYL": re.compile(r"DCFPYL|PIFLUFOLASTAT|PYLARIFY|PYLCLARI"),
        "FLUCICLOVINE": re.compile(r"FLUCICLOVIN|FACBC|AXUMIN"),
        "CHOLINE": re.compile(r"CHOLINE?(?![A-Z])|胆碱"),
        "DOTATATE": re.compile(r"DOTATATE?(?![A-Z])|NETSPOT|DETECTNET"),
        "DOTATOC": re.compile(r"DOTATOC|EDOTREOTIDE?|SOMAKIT"),
        "DOTANOC": re.compile(r"DOTANOC"),
        "FAPI-04": re.compile(r"FAPI0?4(?!\d)"),
        "FAPI-46": re.compile(r"FAPI46(?!\d)"),
        "FLT": re.compile(r"FLUORO?(?:DEOXY|DESOXY)?THYMIDINE?|ALOVUDINE?|氟代?(?:脱氧)?胸腺?嘧?啶?脱?氧?[核]?苷"),
        "FES": re.compile(r"FLUORO?(?:O?E|Ö)STRADIOL|CERIANNA|氟代?雌二醇"),
        "NAF": re.compile(r"SODIUMFLUORIDE|NATRIUMFLUORID|FLUORUREDESODIUM|氟化钠"),
        "FET": re.compile(r"FLUORO?ETH?YLTYROSIN|氟代?乙基酪氨酸"),
        "METHIONINE": re.compile(r"METHIONIN|蛋氨酸"),
        "FDOPA": re.compile(r"FLUORO?L?DOPA|氟代?多巴"),
        "FMISO": re.compile(r"FLUORO?MISONIDAZOLE?"),
        "ACETATE": re.compile(r"(?<![A-Z])(?:11C|C11)?ACETATE?(?![A-Z])|乙酸盐"),
    }
)


def tracer_of(facts: SeriesFacts, item: Tags, nuclide: str | None) -> str | None:
    """The radiopharmaceutical by its one name; None where it is not told, told as two, or at odds with its label.

    Parameters
    ----------
    item : of the radiopharmaceutical information sequence.
    nuclide : the radionuclide of the same item, as ``F-18``; None if unknown.
    """
    coded = item.code("RadiopharmaceuticalCodeSequence")
    by_code = _by_code(coded)
    written = item.text("Radiopharmaceutical")
    by_name = named(written or "")
    if by_code is None and not by_name and coded is not None:
        by_name = named(coded.meaning)
    found = by_name | ({by_code} if by_code is not None else set())
    if len(found) > 1:
        facts.note("tracer-told-as-several", ", ".join(sorted(found)))
        return None
    tracer = next(iter(found), None)
    if tracer is not None and nuclide is not None and nuclide not in LABELS[tracer]:
        facts.note("tracer-contradicts-radionuclide", f"{tracer}, {nuclide}")
        return None
    return tracer


def named(written: str) -> set[str]:
    """All radiopharmaceuticals that a free text names."""
    upper = written.upper()
    plain = re.sub(r"[\W_]", "", upper)
    short = {name for name, pattern in _SHORT.items() if pattern.search(upper)}
    return short | {name for name, pattern in _LONG.items() if pattern.search(plain)}


def _by_code(code: Code | None) -> str | None:
    if code is None:
        return None
    scheme = code.scheme.upper()
    return CODES.get(("SRT" if scheme in _SNOMED_RT else scheme, code.value.upper()))
