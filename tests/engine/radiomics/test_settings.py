"""Settings of radiomics in files."""

from __future__ import annotations

import pytest

from bingcheng.core.errors import InputError
from bingcheng.engine.radiomics.settings import ABOUT, limited, read_settings, template
from bingcheng.quantify.radiomics.image_type import ImageType
from bingcheng.quantify.radiomics.settings import RadiomicsSettings


@pytest.mark.parametrize("modality", ["CT", "MR", "PT"])
def test_the_file_to_begin_with_says_what_is_used_anyway(modality, tmp_path):
    path = tmp_path / "s.toml"
    path.write_text(template(modality, str), encoding="utf-8")
    (one,) = read_settings(path).image_types
    assert one.settings == RadiomicsSettings.for_modality(modality)


def test_every_setting_is_explained():
    written = template("CT", str)
    assert set(RadiomicsSettings().as_mapping()) <= set(ABOUT)
    assert all(str(about) in written for about in ABOUT.values())


def test_a_direction_may_stay_as_it_is(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text('[interpolation]\nspacing_mm = ["as is", 2, 2]\n')
    (one,) = read_settings(path).image_types
    assert one.settings.interpolation.spacing_mm == (None, 2.0, 2.0)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("s.toml", "a = = 1", "engine.radiomics-settings-unreadable"),
        ("s.yaml", "a: [1", "engine.radiomics-settings-unreadable"),
        ("s.yaml", "a: !!python/object:os.system x", "engine.radiomics-settings-unreadable"),
        ("s.json", "{", "engine.radiomics-settings-unreadable"),
        ("s.json", "[" * 100_000, "engine.radiomics-settings-unreadable"),
        ("s.json", "[1]", "engine.radiomics-settings-no-group"),
        ("s.yaml", "", "engine.radiomics-settings-no-group"),
        ("s.txt", "a = 1", "engine.radiomics-settings-format"),
        ("s.toml", "binwidth = 25", "quantify.radiomics-setting-unknown"),
        ("s.toml", "distance = -1", "quantify.radiomics-setting-not-allowed"),
        ("s.toml", 'families = "all"', "quantify.radiomics-setting-not-allowed"),
        ("s.toml", "interpolation = 2", "quantify.radiomics-setting-not-allowed"),
        ("s.toml", '[filter]\nname = "blur"', "quantify.unknown-filter"),
    ],
)
def test_a_wrong_file_is_one_plain_error(name, content, code, tmp_path):
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError) as caught:
        read_settings(tmp_path / name)
    assert caught.value.code == code


def test_bytes_that_are_no_text_and_a_folder_are_refused(tmp_path):
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "d.toml").mkdir()
    for name in ("b.toml", "d.toml", "absent.toml"):
        with pytest.raises(InputError) as caught:
            read_settings(tmp_path / name)
        assert caught.value.code == "engine.radiomics-settings-unreadable"


def test_families_are_limited_by_name():
    types = (ImageType.of(RadiomicsSettings()),)
    (one,) = limited(types, ["Statistics", " morphology"])
    assert [family.name for family in one.settings.families] == ["MORPHOLOGY", "STATISTICS"]
    assert limited(types, None) is types
    for wrong in ([], ["texture"]):
        with pytest.raises(InputError):
            limited(types, wrong)
