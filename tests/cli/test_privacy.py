"""What the hospital knows of a patient stays in the identity table, whatever else is printed, written or stored."""

from __future__ import annotations

import sqlite3

import pyarrow.parquet
import pytest
from tests.cli.conftest import Said
from tests.engine import making
from tests.engine.making import NORTH, SOUTH, ct
from tests.engine.processes import finished, start

from bingcheng.dicom.exam import Patient

PLANTED = Patient(patient_id="KH-90210-7", name="Zimmergrün^Ottilie", birth_date="19520814")
CHINESE = Patient(patient_id="0084511", name="OUYANG^MINGHUI=欧阳^明慧", birth_date="19710330")
TOKENS = (
    *("KH-90210-7", "Zimmergrün", "Zimmergrun", "Ottilie", "19520814", "1952-08-14", "ACC-771903", "Hausarzt"),
    *("0084511", "84511", "OUYANG", "Ouyang", "MINGHUI", "欧阳", "明慧", "19710330", "1971.03.30"),
)


@pytest.fixture(scope="module")
def ward(tmp_path_factory):
    """Two patients whose names, numbers and dates stand in every text in which people put them."""
    root = tmp_path_factory.mktemp("ward")
    ct(
        root / "Zimmergrün_Ottilie" / "ct",
        name="planted",
        patient=PLANTED,
        label="Zimmergrun liver met",
        facts={"series_description": "CT ottilie 5 mm", "protocol_name": "Thorax KH-90210-7"},
        told={"description": "Fr. ZIMMERGRÜN geb. 1952-08-14", "accession_number": "ACC-771903"},
    )
    making.change_all(
        root / "Zimmergrün_Ottilie" / "ct", lambda data: setattr(data, "ReferringPhysicianName", "Hausarzt^Dr")
    )
    (root / "Zimmergrün_Ottilie" / "broken.dcm").write_text("no image")
    ct(
        root / "plain",
        name="chinese",
        patient=CHINESE,
        site=SOUTH,
        label="欧阳明慧 结节",
        facts={"series_description": "84511 Ouyang", "protocol_name": "胸部"},
        told={"description": "明慧 胸部"},
    )
    return root


def tokens_in(content: str) -> list[str]:
    return [token for token in TOKENS if token.casefold() in content.casefold()]


@pytest.fixture(scope="module")
def first_run(ward, tmp_path_factory):
    """What the command and its worker processes said when the ward was assessed, and into which workspace."""
    workspace = tmp_path_factory.mktemp("first") / "workspace"
    return Said(*finished(start("assess", ward, "--workspace", workspace, "--workers", 2))), workspace


@pytest.mark.slow
def test_nothing_of_a_patient_leaves_the_tables_that_hold_identities(ward, first_run, stored, tmp_path):
    workspace = tmp_path / "workspace"
    assert (tokens_in(first_run[0].out), tokens_in(first_run[0].err)) == ([], [])
    for again in (("assess", ward, "--json"), ("show", "E01"), ("show", "E02", "--lang", "zh"), ("show",)):
        said = stored(*again)
        assert (said.code, tokens_in(said.out), tokens_in(said.err)) == (0, [], [])
    for path in [p for folder in ("report", "tables") for p in (workspace / folder).rglob("*") if p.is_file()]:
        if path.suffix == ".parquet":
            content = str(pyarrow.parquet.read_table(path).to_pylist())
        else:
            content = path.read_text(encoding="utf-8")
        assert tokens_in(content) == [], path.name
    connection = sqlite3.connect(workspace / "bingcheng.sqlite")
    # Where an exam's files were is kept as it was given: folders are often named after patients.
    for table in ("identity", "exam_source"):
        connection.execute(f"DROP TABLE {table}")
    assert tokens_in("\n".join(connection.iterdump())) == []
    connection.close()


def test_lesions_keep_what_their_labels_say_beside_the_name(ward, stored):
    seen = stored("assess", ward, "--json").json
    labels = {lesion["label"] for exam in seen["exams"] for series in exam["series"] for lesion in series["lesions"]}
    assert labels == {"liver met", "结节"}
    assert {series["description"] for exam in seen["exams"] for series in exam["series"]} == {""}


def test_whoever_may_see_patients_sees_names_numbers_and_dates(ward, stored, tmp_path):
    said = stored("assess", ward, "--identified")
    report = (tmp_path / "workspace" / "report" / "index.html").read_text(encoding="utf-8")
    for text in (said.out, report):
        assert "Zimmergrün Ottilie (KH-90210-7)" in " ".join(text.split())
        assert "OUYANG MINGHUI (0084511)" in " ".join(text.split())
    assert "2026" in report


def test_two_people_of_one_name_and_number_stay_two(tmp_path, assess_json):
    twin = Patient(patient_id="4711", name="Doe^Jane", birth_date="19600101")
    ct(tmp_path / "exams" / "north", name="n", patient=twin, site=NORTH)
    ct(tmp_path / "exams" / "south", name="s", patient=twin, site=SOUTH)
    for more in ((), ("--identified",)):
        seen = assess_json(tmp_path / "exams", *more).json
        assert len({exam["patient"] for exam in seen["exams"]}) == 2
        assert seen["changes"] == []


def test_a_label_of_an_exam_is_the_same_with_and_without_names(ward, stored):
    pseudonymous, identified = (
        stored("assess", ward, "--json", *more).json["exams"] for more in ((), ("--identified",))
    )
    assert [(exam["label"], exam["uid"]) for exam in pseudonymous] == [
        (exam["label"], exam["uid"]) for exam in identified
    ]
