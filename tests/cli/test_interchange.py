"""Carrying protocols over on the command line: the file goes out, what was lost is said, nothing is run."""

from __future__ import annotations

import json

from bingcheng.protocol.library import load

RULE = {"id": "r", "name": "Isotropic", "implementation": "raise SystemExit(99)", "fields": ["SliceThickness"]}
SCHEMA = {
    "name": "Spine",
    "acquisitions": {
        "Sagittal T2": {
            "fields": [{"field": "SliceThickness", "max": 4}, {"field": "SAR", "max": 2}],
            "rules": [RULE],
        }
    },
}


def test_a_schema_becomes_a_protocol_file_that_loads(bingcheng, tmp_path):
    (tmp_path / "spine.json").write_text(json.dumps(SCHEMA))
    said = bingcheng("protocol", "import", "spine.json", "--output", "spine.toml")
    assert said.code == 0
    assert "acquisitions.Sagittal T2.fields[1] (SAR)" in said.err
    assert "acquisitions.Sagittal T2.rules[0]" in said.err
    assert [one.attribute for one in load(tmp_path / "spine.toml").criteria] == ["SliceThickness"]
    assert bingcheng("protocol", "check", "spine.toml").code == 0


def test_without_an_output_the_file_alone_is_printed(bingcheng, tmp_path):
    said = bingcheng("protocol", "export-dicompare", "prostate_mpmri_pirads21")
    assert said.code == 0
    assert json.loads(said.out)["acquisitions"]
    (tmp_path / "again.json").write_text(said.out)
    again = bingcheng("protocol", "import", "again.json")
    (tmp_path / "again.toml").write_text(again.out)
    assert load(tmp_path / "again.toml").criteria


def test_a_file_that_is_no_schema_is_one_plain_message(bingcheng, tmp_path):
    assert bingcheng("protocol", "import", "absent.json").code == 4
    (tmp_path / "broken.json").write_bytes(b"\xff\xfe{")
    assert "protocol.unreadable-file" in bingcheng("protocol", "import", "broken.json").err
    (tmp_path / "other.json").write_text('{"acquisitions": 3}')
    assert "protocol.not-dicompare" in bingcheng("protocol", "import", "other.json").err
    assert bingcheng("protocol", "export-dicompare", "no-such").code == 4
