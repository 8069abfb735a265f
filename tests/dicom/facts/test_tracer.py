from __future__ import annotations

import pytest

from bingcheng.dicom.facts.tracer import CODES, LABELS, named


@pytest.mark.parametrize(
    ("written", "tracer"),
    [
        ("FDG", "FDG"),
        ("F-18 FDG", "FDG"),
        ("18F-FDG", "FDG"),
        ("18FFDG", "FDG"),
        ("F18FDG", "FDG"),
        ("[18F]FDG", "FDG"),
        ("fdg", "FDG"),
        ("FDG -- fluorodeoxyglucose", "FDG"),
        ("Fluorodeoxyglucose F^18^", "FDG"),
        ("Fludeoxyglucose (18F)", "FDG"),
        ("Fluor-Desoxy-Glukose", "FDG"),
        ("Fluordesoxyglucose", "FDG"),
        ("18F-氟代脱氧葡萄糖", "FDG"),
        ("氟[18F]脱氧葡糖", "FDG"),
        ("68Ga-PSMA-11", "PSMA-11"),
        ("Ga-68 PSMA-HBED-CC", "PSMA-11"),
        ("18F-PSMA-1007", "PSMA-1007"),
        ("PSMA 1007", "PSMA-1007"),
        ("PSMA-617", "PSMA-617"),
        ("18F-DCFPyL", "DCFPYL"),
        ("Piflufolastat F 18", "DCFPYL"),
        ("Axumin (fluciclovine F18)", "FLUCICLOVINE"),
        ("11C-Choline", "CHOLINE"),
        ("F-18-Fluorcholin", "CHOLINE"),
        ("18F-FCH", "CHOLINE"),
        ("11C-胆碱", "CHOLINE"),
        ("68Ga-DOTATATE", "DOTATATE"),
        ("DOTA-TATE", "DOTATATE"),
        ("Ga-68-DOTATOC", "DOTATOC"),
        ("68Ga-DOTANOC", "DOTANOC"),
        ("68Ga-FAPI-04", "FAPI-04"),
        ("Ga68 FAPI 46", "FAPI-46"),
        ("18F-FLT", "FLT"),
        ("Fluorothymidine", "FLT"),
        ("Cerianna (18F-FES)", "FES"),
        ("Fluoroestradiol F18", "FES"),
        ("NaF", "NAF"),
        ("18F-NaF", "NAF"),
        ("Natriumfluorid", "NAF"),
        ("18F-氟化钠", "NAF"),
        ("18F-FET", "FET"),
        ("11C-Methionin", "METHIONINE"),
        ("18F-FDOPA", "FDOPA"),
    ],
)
def test_unmistakable_names_in_three_languages_are_recognised(written: str, tracer: str) -> None:
    assert named(written) == {tracer}


@pytest.mark.parametrize(
    "written",
    [
        "",
        "PSMA",
        "68Ga-PSMA",
        "FAPI",
        "F-18",
        "DOTA",
        "FDGal",
        "Solution",
        "Glucose",
        "fluoride",
        "coffee",
        "safety",
        "INJ",
    ],
)
def test_what_could_be_several_or_none_is_none(written: str) -> None:
    assert named(written) == set()


def test_a_text_that_names_two_is_told_as_two() -> None:
    assert named("FDG / PSMA-1007") == {"FDG", "PSMA-1007"}


def test_every_code_leads_to_a_tracer_whose_label_is_known() -> None:
    assert set(CODES.values()) <= set(LABELS)
