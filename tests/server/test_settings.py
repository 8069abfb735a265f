"""Settings: where they come from, what goes before what, and that all of them are documented."""

from __future__ import annotations

from pathlib import Path

import pytest

from bingcheng.archive.authorisation import Role
from bingcheng.core.errors import InputError
from bingcheng.server.settings import PARTS, PREFIX, Settings, load_settings

DOCS = Path(__file__).parents[2] / "docs" / "serve.md"


def test_the_command_goes_before_the_environment_and_that_before_the_file(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text('port = 1\nhost = "file"\nlanguage = "zh"\n', encoding="utf-8")
    found = load_settings(
        {"port": 3, "host": None},
        {"BINGCHENG_PORT": "2", "BINGCHENG_HOST": "environment", "BINGCHENG_OTHER": "x"},
        file,
    )
    assert (found.port, found.host, found.language) == (3, "environment", "zh")


def test_lists_maps_and_the_provider_are_read_from_the_environment():
    found = load_settings(
        {},
        {
            "BINGCHENG_TRUSTED_PROXIES": "10.0.0.1, 10.0.0.2",
            "BINGCHENG_OIDC_ISSUER": "https://provider",
            "BINGCHENG_OIDC_CLIENT_ID": "us",
            "BINGCHENG_OIDC_ROLES": "arzt=radiologist,admin=site-admin",
            "BINGCHENG_OIDC_MAKE_ACCOUNTS": "true",
        },
    )
    assert found.trusted_proxies == ("10.0.0.1", "10.0.0.2")
    assert found.oidc.roles == {"arzt": Role.RADIOLOGIST, "admin": Role.SITE_ADMIN}
    assert found.oidc.make_accounts


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"port": 70000}, "port"),
        ({"language": "fr"}, "language"),
        ({"public_url": "hospital.example"}, "public_url"),
        ({"unknown": 1}, "unknown"),
        ({"oidc": {"issuer": "x"}}, "oidc.client_id"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not_repeated(given, name):
    with pytest.raises(InputError) as raised:
        load_settings(given, {})
    assert raised.value.code == "server.wrong-setting"
    assert raised.value.reason.facts["name"] == name
    assert "70000" not in str(raised.value)


@pytest.mark.parametrize("content", [b"port = ", b"\xff\xfe", None])
def test_an_unreadable_file_is_told(tmp_path, content):
    file = tmp_path / "settings.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError) as raised:
        load_settings({}, {}, file)
    assert raised.value.code == "server.unreadable-settings"


def test_secrets_are_not_shown():
    found = load_settings(
        {"database": "postgresql://u:pass-word@h/d", "oidc": {"issuer": "i", "client_id": "c", "client_secret": "shh"}},
        {},
    )
    assert "pass-word" not in f"{found!r} {found}"
    assert "shh" not in f"{found!r} {found}"
    assert found.database_address() == "postgresql://u:pass-word@h/d"


@pytest.mark.parametrize(
    ("given", "secure"),
    [
        ({}, False),
        ({"public_url": "https://h/"}, True),
        ({"public_url": "http://h"}, False),
        ({"tls_certificate": "c"}, True),
    ],
)
def test_cookies_are_secure_when_people_come_by_tls(given, secure):
    assert Settings.model_validate(given).secure is secure


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_is_documented_with_its_variable_and_default(name):
    rows = [line for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith(f"| `{name}` |")]
    assert len(rows) == 1, f"docs/serve.md has one row for {name}"
    assert name in PARTS or f"`{PREFIX}{name.upper()}`" in rows[0]


@pytest.mark.parametrize("name", [f"{part}.{name}" for part, model in PARTS.items() for name in model.model_fields])
def test_every_setting_of_a_part_is_documented(name):
    assert f"| `{name}` |" in DOCS.read_text(encoding="utf-8")


def test_a_bucket_is_read_from_the_environment_and_its_key_is_never_shown():
    names = {"BUCKET": "exams", "ENDPOINT": "https://s3.example", "KEY_ID": "us", "SECRET": "hidden"}
    found = load_settings({}, {f"BINGCHENG_S3_{name}": value for name, value in names.items()})
    bucket = found.s3.bucket_of()
    assert (bucket.name, bucket.endpoint, bucket.key_id, bucket.secret) == (
        "exams",
        "https://s3.example",
        "us",
        "hidden",
    )
    assert "hidden" not in f"{found!r}{bucket!r}{bucket.address()}"
