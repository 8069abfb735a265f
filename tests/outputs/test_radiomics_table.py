"""Radiomics features as tables and JSON."""

from __future__ import annotations

import csv
import json
from io import StringIO

import numpy as np
import pyarrow.parquet as pq
import pytest

from bingcheng.core.errors import InputError, Undefined
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.outputs.radiomics.table import LONG, Grade, LesionFeatures, as_json, written
from bingcheng.quantify.radiomics.extraction import features
from bingcheng.quantify.radiomics.image_type import ImageType
from bingcheng.quantify.radiomics.settings import RadiomicsSettings


@pytest.fixture(scope="module")
def lesions() -> list[LesionFeatures]:
    settings = RadiomicsSettings(families=("statistics", "histogram", "grey_tone_difference"))
    grid = VolumeGeometry(shape=(6, 7, 8), spacing_mm=(2.0, 1.0, 1.0))
    mask = np.zeros(grid.shape, dtype=bool)
    mask[1:5, 1:6, 1:7] = True
    region = Region.of(mask, grid, label="=1+1")  # a spreadsheet would run it
    found = []
    for name in ("noise", "constant"):
        voxels = np.random.default_rng(1).normal(50.0, 9.0, grid.shape).astype(np.float32)
        volume = Volume(voxels=voxels if name == "noise" else voxels * 0.0, geometry=grid, unit="[hnsf'U]")
        result = features(volume, region, settings)
        found.append(
            LesionFeatures(
                image=name,
                lesion=region.label,
                image_type=ImageType.of(settings),
                result=result,
                modality="CT",
                standard_uncertainty={"stat_mean": 1.5},
                grades={"stat_mean": Grade(grade="good", icc=0.9, low=0.8, high=0.95)},
                repetitions=30,
            )
        )
    return found


def read(path) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(path.read_text("utf-8-sig"))))


def test_csv_has_a_row_a_feature_with_unit_identifier_and_reason(lesions, tmp_path):
    written(tmp_path / "a.csv", lesions, [], wide=False, say=str)
    rows = read(tmp_path / "a.csv")
    assert [*rows[0]] == [name for name, *_ in LONG]
    assert len(rows) == sum(len(one.result.values) for one in lesions)
    mean = next(row for row in rows if row["feature"] == "stat_mean")
    assert float(mean["value"]) == lesions[0].result["stat_mean"]
    assert (mean["unit"], mean["ibsi"], mean["standard_uncertainty"]) == ("[hnsf'U]", "Q4LE", "1.5")
    assert (mean["grade"], mean["icc"]) == ("good", "0.9")
    assert mean["settings"] == lesions[0].result.settings.digest
    for row in rows:
        assert (row["value"] == "") == (row["code"] != "") == (row["reason"] != "")
        assert row["lesion"] == "'=1+1"


def test_parquet_has_the_same_rows_with_types(lesions, tmp_path):
    written(tmp_path / "a.parquet", lesions, [], wide=False, say=str)
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.column_names == [name for name, *_ in LONG]
    values = dict(zip(table["feature"].to_pylist(), table["value"].to_pylist(), strict=False))
    assert values["stat_var"] is not None
    assert table.schema.field("value").metadata[b"unit"] == b"{unit}"


def test_wide_has_a_row_a_lesion(lesions, tmp_path):
    for name in ("w.csv", "w.parquet"):
        written(tmp_path / name, lesions, [], wide=True, say=str)
    rows = read(tmp_path / "w.csv")
    assert [row["image"] for row in rows] == ["noise", "constant"]
    assert float(rows[0]["stat_mean"]) == lesions[0].result["stat_mean"]
    undefined = [tag for tag, value in lesions[1].result.values.items() if isinstance(value, Undefined)]
    assert undefined
    assert all(rows[1][tag] == "" for tag in undefined)
    table = pq.read_table(tmp_path / "w.parquet")
    assert table.schema.field("stat_var").metadata[b"unit"] == b"[hnsf'U]2"
    assert table.num_rows == 2


def test_json_is_whole_and_strict(lesions, tmp_path):
    written(tmp_path / "a.json", lesions, [], wide=False, say=str)
    text = (tmp_path / "a.json").read_text("utf-8")
    document = json.loads(text, parse_constant=pytest.fail)
    assert document == json.loads(json.dumps(as_json(lesions, [], str)))
    first = document["lesions"][0]
    assert first["settings"] == lesions[0].result.settings.as_mapping()
    told = {one["feature"]: one for one in first["features"]}
    assert told["stat_mean"]["value"] == lesions[0].result["stat_mean"]
    assert told["stat_mean"]["icc"] == {"value": 0.9, "low": 0.8, "high": 0.95}
    assert told["stat_var"]["standard_uncertainty"] is None
    for one in document["lesions"][1]["features"]:
        assert (one["value"] is None) == (one["undefined"] is not None)


def test_other_endings_and_places_are_refused(lesions, tmp_path):
    with pytest.raises(InputError) as caught:
        written(tmp_path / "a.xlsx", lesions, [], wide=False, say=str)
    assert caught.value.code == "outputs.radiomics-format"
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError) as caught:
        written(tmp_path / "file" / "a.csv", lesions, [], wide=False, say=str)
    assert caught.value.code == "outputs.cannot-write"


def test_a_table_may_be_read_by_whoever_may_read_its_folder(lesions, tmp_path):
    for mode in (0o755, 0o700):
        tmp_path.chmod(mode)
        written(tmp_path / "a.csv", lesions, [], wide=False, say=str)
        assert (tmp_path / "a.csv").stat().st_mode & 0o777 == mode & 0o666
