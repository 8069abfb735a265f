"""Tables hold what the assessment holds, in types and units, for spreadsheets and for programs."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.compare.dose_records import record as dose_record
from tests.outputs.features import feature_cohort, feature_set
from tests.outputs.links import matched_exams

from bingcheng.compare.change import Change, Verdict
from bingcheng.compare.dose_groups import BodyRegion, Procedure
from bingcheng.compare.dose_overview import dose_overview
from bingcheng.compare.dose_published import dose_rules
from bingcheng.compare.dose_record import Basis, DoseQuantity, DoseValue
from bingcheng.compare.homogeneity import SiteRow
from bingcheng.compare.lesions import LesionChange
from bingcheng.compare.observation import Observation
from bingcheng.core.errors import InputError, Owner
from bingcheng.core.finding import Finding, Level, Outcome, Trust
from bingcheng.core.measurement import Measurement, NoValue
from bingcheng.core.provenance import Provenance
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.core.wording import Text, text
from bingcheng.outputs.assessment import Assessment, ExamView, LesionView, SeriesView
from bingcheng.outputs.language import Language
from bingcheng.outputs.machine_readable import as_json
from bingcheng.outputs.table_columns import TABLES, Kind
from bingcheng.outputs.tables import write_tables

UNDEFINED = NoValue(code="q.no-dose", reason=text("no dose"), remedy=text("record the dose"), owner=Owner.TECHNOLOGIST)


def measurement(key, value, unit="ml", uncertainty=None):
    return Measurement(
        key=key,
        label=key.capitalize(),
        unit=unit,
        value=value,
        standard_uncertainty=uncertainty,
        no_value=UNDEFINED if value is None else None,
        provenance=Provenance(measure=key, revision=3, version="0.9"),
    )


def observation(exam, value):
    return Observation(
        site="市立医院",
        device="GE CT 1",
        patient="P1",
        lesion="1.2.3",
        exam_uid=exam,
        series_uid=f"{exam}.1",
        performed_at=datetime(2026, 3, 1),  # noqa: DTZ001 - exams carry local time
        measurement=measurement("volume", value, uncertainty=0.2),
    )


def change():
    return Change(
        before=observation("1.1", 10.0),
        after=observation("1.2", 16.5),
        difference=6.5,
        percent=65.0,
        limits_percent=(-35.0, 55.0),
        verdict=Verdict.REAL,
        reasons=(text("It grew by {percent} %.", percent=65.0), text("Sure.")),
        remedy=None,
        source="Someone 2015",
    )


def doses(*uids):
    """The doses of exams: the first states CTDIvol, the second nothing."""
    silent = NoValue(
        code="compare.no-dose", reason=text("none stated"), remedy=text("send it"), owner=Owner.TECHNOLOGIST
    )
    chest = dose_record("市立医院", 17.5, procedure=Procedure.of([BodyRegion.CHEST]))
    values = {DoseQuantity.CTDI_VOL: DoseValue(value=17.5, basis=Basis.REPORTED)}
    records = [
        replace(chest, exam_uid=uids[0], weight_kg=71.25, values=values),
        replace(chest, exam_uid=uids[1], values={}, absent={DoseQuantity.CTDI_VOL: silent}),
    ]
    return dose_overview(records, dose_rules())


@pytest.fixture
def assessment():
    refusal = Refusal(
        code="dicom.unreadable",
        reason=text("not readable"),
        remedy=text("send it again"),
        owner=Owner.ARCHIVE,
        kind=SubjectKind.FILE,
        subject="a/b.dcm",
        count=2,
    )
    finding = Finding(
        protocol="ct",
        criterion="thickness",
        title=text("Slice thickness"),
        outcome=Outcome.FAIL,
        level=Level.REQUIRED,
        trust=Trust.QUOTED,
        source="RECIST 1.1",
        measured=text("{value} {unit}", value=7.5, unit="mm"),
        limit=text("at most {value} {unit}", value=5, unit="mm"),
        unit="mm",
        distance=2.5,
        owner=Owner.TECHNOLOGIST,
    )
    series = SeriesView(
        uid="1.1.1",
        modality="CT",
        description="Thorax",
        device="=HYPERLINK(evil)",
        facts=(),
        measurements=(measurement("noise", 12.25, "[hnsf'U]"), measurement("ssde", None, "mGy")),
        lesions=(
            LesionView(
                lesion="1.2.3",
                label="肺部病灶",
                series_uid="1.1.1",
                measurements=(measurement("volume", 10.0, uncertainty=0.2),),
                method="manual",
                radiomics=(feature_set(),),
            ),
        ),
    )
    exams = tuple(
        ExamView(
            uid=uid,
            label=label,
            patient="P1",
            site="市立医院",
            day=day,
            performed_on=None,
            description="",
            series=(series,) if day == 0 else (),
            findings=(finding,) if day == 0 else (),
            refusals=(refusal,) if day == 0 else (),
        )
        for uid, label, day in (("1.1", "E01", 0), ("1.2", "E02", 90))
    )
    lead = change()
    history = (lead.before, lead.after)
    row = SiteRow(
        site="市立医院",
        device="GE CT 1",
        key="noise",
        label="Noise",
        unit="[hnsf'U]",
        count=2,
        median=12.0,
        spread=None,
        values=(11.0, 13.0),
        others_median=9.0,
        deviation=3.0,
        flagged=True,
        explanation=text("thicker"),
    )
    return Assessment(
        version="0.9",
        identified=False,
        sites=(),
        exams=exams,
        radiomics=(feature_cohort(),),
        follow_up=(matched_exams(),),
        changes=(
            LesionChange(
                patient="P1",
                lesion="1.2.3",
                label="肺部病灶",
                verdict=Verdict.REAL,
                lead=lead,
                changes=(change(),),  # equal, not the same object: as after storage
                history=history,
            ),
        ),
        comparison=(row,),
        dose=doses("1.1", "1.2"),
        refusals=(replace(refusal, subject="c.dcm"),),
    )


@pytest.fixture
def folder(assessment, tmp_path):
    write_tables(assessment, tmp_path / "tables")
    return tmp_path / "tables"


def read_csv(path):
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"))))


def test_each_table_is_written_in_both_forms(assessment, tmp_path):
    paths = write_tables(assessment, tmp_path)
    names = {
        f"{t}.{e}"
        for t in ("measurements", "findings", "changes", "sites", "doses", "radiomics", "lesion_links", "refusals")
        for e in ("csv", "parquet")
    }
    assert {p.name for p in paths} == names == {p.name for p in tmp_path.iterdir()}


def test_spreadsheets_recognise_the_encoding(folder):
    for path in folder.glob("*.csv"):
        assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert read_csv(folder / "measurements.csv")[0]["site"] == "市立医院"


def test_both_forms_hold_the_same_rows(folder):
    for table in TABLES:
        rows = read_csv(folder / f"{table.name}.csv")
        columns = pq.read_table(folder / f"{table.name}.parquet")
        assert columns.num_rows == len(rows) > 0
        assert columns.column_names == list(rows[0])
        for column in table.columns:
            if column.kind is Kind.NUMBER:
                values = columns.column(column.name).to_pylist()
                assert values == [None if r[column.name] == "" else float(r[column.name]) for r in rows]


def test_a_missing_value_is_an_empty_cell_with_its_reason(folder):
    (row,) = [r for r in read_csv(folder / "measurements.csv") if r["measure"] == "ssde"]
    assert (row["value"], row["standard_uncertainty"]) == ("", "")
    assert (row["code"], row["reason"], row["remedy"], row["owner"]) == (
        "q.no-dose",
        "no dose",
        "record the dose",
        "technologist",
    )


def test_a_measurement_keeps_its_digits_its_unit_and_its_uncertainty(folder):
    (row,) = [r for r in read_csv(folder / "measurements.csv") if r["measure"] == "volume"]
    assert (float(row["value"]), row["unit"], float(row["standard_uncertainty"])) == (10.0, "ml", 0.2)
    assert float(row["expanded_uncertainty"]) == pytest.approx(0.4)
    assert (row["lesion_label"], row["revision"], row["software"]) == ("肺部病灶", "3", "bingcheng 0.9")


def test_the_change_that_decided_is_marked_even_when_it_was_stored_in_between(folder):
    (row,) = read_csv(folder / "changes.csv")
    assert (row["leads"], row["verdict"], row["exam_before"], row["exam_after"]) == ("true", "real", "E01", "E02")
    assert (row["day_before"], row["day_after"], float(row["percent"])) == ("0", "90", 65.0)
    assert row["reasons"] == "It grew by 65 %. Sure."


def test_refusals_of_exams_and_of_files_without_one_are_both_there(folder):
    assert [(r["exam"], r["subject"], r["count"]) for r in read_csv(folder / "refusals.csv")] == [
        ("E01", "a/b.dcm", "2"),
        ("", "c.dcm", "2"),
    ]


def test_a_dose_stands_beside_its_own_and_each_published_level(folder):
    rows = [r for r in read_csv(folder / "doses.csv") if (r["exam"], r["quantity"]) == ("E01", "CTDIvol")]
    assert {(float(r["value"]), r["unit"], r["basis"], r["phantom"]) for r in rows} == {
        (17.5, "mGy", "dose report", "32.0")
    }
    own, *published = rows
    assert (own["level_of"], own["verdict"]) == ("own", "can't be judged")  # one hospital is too few
    assert {r["level_of"].split()[0] for r in published} == {"UK", "China"}
    above = [r for r in published if r["verdict"] == "above the reference level"]
    assert above
    assert all(float(r["reference"]) < 17.5 and r["source"] and r["owner"] == "technologist" for r in above)


def test_a_dose_that_nobody_states_is_an_empty_cell_with_its_reason(folder):
    (row,) = [r for r in read_csv(folder / "doses.csv") if (r["exam"], r["quantity"]) == ("E02", "CTDIvol")]
    assert (row["value"], row["basis"]) == ("", "")
    assert (row["code"], row["reason"], row["remedy"], row["owner"]) == (
        "compare.no-dose",
        "none stated",
        "send it",
        "technologist",
    )


def test_weight_and_age_stand_in_no_output_of_doses(assessment, folder):
    table = (folder / "doses.csv").read_text("utf-8-sig")
    whole = json.dumps(as_json(assessment, Language.of("en"))["dose"])
    for output in (table, whole):
        assert "71.25" not in output
        assert "weight_kg" not in output
        assert "age_a" not in output


def test_json_holds_the_doses_with_levels_and_judgements(assessment):
    told = as_json(assessment, Language.of("en"))["dose"]
    assert [one["exam"] for one in told["exams"]] == ["1.1", "1.2"]
    first, second = told["exams"]
    assert first["values"][0] == {
        "quantity": "ctdi_vol",
        "value": 17.5,
        "standard_uncertainty": None,
        "unit": "mGy",
        "basis": "dose report",
        "no_value": None,
    }
    assert second["values"][0]["no_value"]["code"] == "compare.no-dose"
    assert first["procedure"]["regions"] == ["chest"]
    (level,) = told["levels"]
    assert (level["reference"]["value"], level["provisional"]) == (17.5, True)
    assert {one["trust"] for one in told["published"]} == {"verified", "unverified"}
    assert as_json(replace(assessment, dose=None), Language.of("en"))["dose"] is None


def test_a_text_that_would_run_as_a_formula_is_disarmed_in_csv_and_untouched_in_parquet(folder):
    assert {r["device"] for r in read_csv(folder / "measurements.csv")} == {"'=HYPERLINK(evil)"}
    assert set(pq.read_table(folder / "measurements.parquet")["device"].to_pylist()) == {"=HYPERLINK(evil)"}


def test_negative_numbers_stay_numbers_in_csv(assessment, tmp_path):
    (row,) = assessment.comparison
    write_tables(replace(assessment, comparison=(replace(row, deviation=-3.5),)), tmp_path)
    assert read_csv(tmp_path / "sites.csv")[0]["deviation"] == "-3.5"


def test_parquet_columns_are_typed_and_say_unit_and_meaning(folder):
    for table in TABLES:
        schema = pq.read_schema(folder / f"{table.name}.parquet")
        for column in table.columns:
            field = schema.field(column.name)
            assert field.metadata[b"description"].decode() == column.description
            assert field.metadata[b"unit"].decode() == column.unit
    changes = pq.read_schema(folder / "changes.parquet")
    assert changes.field("percent").type == pa.float64()
    assert changes.field("percent").metadata[b"unit"] == b"%"
    assert changes.field("leads").type == pa.bool_()
    assert pq.read_schema(folder / "measurements.parquet").field("performed_on").type == pa.date32()


def test_every_column_is_described_and_named_in_one_style():
    for table in TABLES:
        names = [column.name for column in table.columns]
        assert len(set(names)) == len(names)
        for column in table.columns:
            assert re.fullmatch(r"[a-z][a-z_]*", column.name)
            assert column.description


def test_dates_are_iso_where_the_assessment_holds_them(assessment, tmp_path):
    exams = tuple(replace(exam, performed_on=date(2026, 3, 1)) for exam in assessment.exams)
    write_tables(replace(assessment, exams=exams, identified=True), tmp_path)
    assert {r["performed_on"] for r in read_csv(tmp_path / "measurements.csv")} == {"2026-03-01"}


def test_sentences_and_labels_are_said_in_the_readers_language(assessment, tmp_path):
    def shouted(said: Text | str) -> str:
        return str(said).upper()

    write_tables(assessment, tmp_path, say=shouted)
    row = read_csv(tmp_path / "measurements.csv")[1]
    assert (row["measure_label"], row["reason"]) == ("SSDE", "NO DOSE")
    assert (row["measure"], row["unit"]) == ("ssde", "mGy")


def test_an_empty_assessment_gives_tables_with_columns_and_no_rows(tmp_path):
    nothing = Assessment(version="0", identified=False, sites=(), exams=(), changes=(), comparison=(), refusals=())
    write_tables(nothing, tmp_path)
    for table in TABLES:
        assert pq.read_table(tmp_path / f"{table.name}.parquet").num_rows == 0
        assert len((tmp_path / f"{table.name}.csv").read_text("utf-8-sig").splitlines()) == 1


def test_a_folder_that_cannot_be_made_is_named(assessment, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot-write"):
        write_tables(assessment, tmp_path / "file")
