"""The settings of the server: from a TOML file, the environment and the command line, the last one winning.

Nothing else reads the environment or a settings file; all other modules are handed a `Settings`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from bingcheng.archive.authorisation.role import Role
from bingcheng.archive.objects.place import Bucket
from bingcheng.core.errors import InputError, Owner, Problem

PREFIX = "BINGCHENG_"

WRONG_SETTING = Problem(
    code="server.wrong-setting",
    says="the setting '{name}' can't be used ({error})",
    remedy="Correct it in the settings file, the environment or the command; docs/serve.md describes every setting.",
    owner=Owner.OPERATOR,
)
UNREADABLE_SETTINGS = Problem(
    code="server.unreadable-settings",
    says="the settings file '{file}' can't be read ({error})",
    remedy="Name a TOML file that the server may read, or correct it.",
    owner=Owner.OPERATOR,
)


class OidcSettings(BaseModel):
    """An OpenID Connect provider at which people sign in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str = Field(description="address of the provider, as its discovery document states it")
    client_id: str = Field(description="name under which the provider knows this server")
    client_secret: SecretStr | None = Field(None, description="secret that goes with it; none for a public client")
    label: str = Field("OpenID Connect", description="what stands on the button")
    scopes: str = Field("openid profile", description="scopes that are asked for, separated by spaces")
    login_claim: str = Field("preferred_username", description="claim that holds the name to sign in with")
    name_claim: str = Field("name", description="claim that holds the name of the person")
    hospital_claim: str = Field("hospital", description="claim that holds the hospital")
    hospitals: Mapping[str, str] = Field(
        default_factory=dict, description="short name of the hospital here, by the claim's value; else the value itself"
    )
    roles_claim: str = Field("roles", description="claim that holds the roles")
    roles: Mapping[str, Role] = Field(
        default_factory=dict, description="role here, by the claim's value; values that are absent give no role"
    )
    make_accounts: bool = Field(
        default=False, description="make an account for who signs in for the first time; else only known people may"
    )


class S3Settings(BaseModel):
    """A bucket of an S3 service in which the files of objects lie."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bucket: Annotated[str, Field(min_length=1)] = Field(description="name of a bucket that exists")
    prefix: str = Field("", description="what the names of all files in it begin with")
    endpoint: str | None = Field(None, description="address of the service; else Amazon's")
    region: str | None = Field(None, description="region of the service, where it has some")
    key_id: str | None = Field(None, description="name of the key; else what AWS_ACCESS_KEY_ID says")
    secret: SecretStr | None = Field(None, description="the key itself; else what AWS_SECRET_ACCESS_KEY says")

    def bucket_of(self) -> Bucket:
        """The bucket, for the store."""
        secret = None if self.secret is None else self.secret.get_secret_value()
        return Bucket(
            name=self.bucket,
            prefix=self.prefix,
            endpoint=self.endpoint,
            region=self.region,
            key_id=self.key_id,
            secret=secret,
        )


class Settings(BaseModel):
    """All settings of ``bingcheng serve``; each may stand in the file, in the environment or in the command."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    workspace: Path = Field(Path("bingcheng-workspace"), description="the folder of the workspace")
    database: SecretStr | None = Field(None, description="address of a database server; else a file in the workspace")
    host: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0 for all of this machine")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(8080, description="port to listen on; 0 for any free one")
    public_url: str | None = Field(
        None, description="address by which people reach the server, when it stands behind a proxy"
    )
    trusted_proxies: tuple[str, ...] = Field(
        (), description="addresses of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed"
    )
    allowed_hosts: tuple[str, ...] = Field(
        (), description="names that requests may be addressed to; none: this machine's, and that of public_url"
    )
    tls_certificate: Path | None = Field(None, description="file with the certificate chain (PEM)")
    tls_key: Path | None = Field(None, description="file with its private key (PEM)")
    language: Literal["", "en", "zh"] = Field("", description="language where neither person nor browser says one")
    time_zone: str = Field("", description="IANA name of the zone in which pages show times; none: the machine's own")
    largest_form_mb: Annotated[float, Field(gt=0, le=1024)] = Field(2, description="largest request that is no upload")
    largest_upload_gb: Annotated[float, Field(gt=0, le=1024)] = Field(8, description="largest upload of objects")
    audit_days: Annotated[int, Field(ge=0)] = Field(
        0, description="days that the audit trail is kept; 0: without an end"
    )
    viewer: Path | None = Field(
        None, description="folder with an installed viewer; else where `bingcheng viewer install` puts it"
    )
    workers: Annotated[int, Field(ge=1, le=64)] = Field(1, description="processes that assess exams at the same time")
    bring_in: bool = Field(
        default=True,
        description="take exams that were assessed from folders into the archive, while the folders are there",
    )
    dicom_port: Annotated[int, Field(ge=0, le=65535)] | None = Field(
        None, description="port of the DICOM service; none: it isn't started"
    )
    dicom_host: str = Field("127.0.0.1", description="address on which the DICOM service listens")
    dicom_ae_title: str = Field("BINGCHENG", description="AE title of the DICOM service")
    dicom_tls_certificate: Path | None = Field(
        None, description="file with the certificate chain of the DICOM service (PEM); none: no TLS"
    )
    dicom_tls_key: Path | None = Field(None, description="file with its private key (PEM), without a password")
    dicom_tls_trusted: Path | None = Field(
        None, description="file with the authorities that sign the peers' certificates (PEM); peers then must show one"
    )
    dicom_private: bool = Field(
        default=False, description="whether peers may store classes of objects that the standard doesn't name"
    )
    dicom_associations: Annotated[int, Field(ge=1, le=1024)] = Field(64, description="associations at once")
    dicom_associations_of_peer: Annotated[int, Field(ge=1, le=1024)] = Field(
        32, description="associations at once of one peer"
    )
    dicom_largest_object_gb: Annotated[float, Field(gt=0, le=4)] = Field(
        4, description="largest object that a peer may store"
    )
    pairing_offer_days: Annotated[int, Field(ge=0, le=3650)] = Field(
        90, description="days that a paired installation may fetch a case that is offered to it; 0: without an end"
    )
    pairing_unfinished_days: Annotated[int, Field(ge=10, le=3650)] = Field(
        14, description="days after which what a paired installation began to send, and did not go on with, is dropped"
    )
    oidc: OidcSettings | None = Field(None, description="an OpenID Connect provider")
    s3: S3Settings | None = Field(None, description="a bucket for the files of objects; else a folder of the workspace")

    @field_validator("public_url")
    @classmethod
    def _without_slash(cls, address: str | None) -> str | None:
        if address is not None and not address.startswith(("http://", "https://")):
            raise ValueError("it begins with https://")
        return address.rstrip("/") if address else None

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            if name:
                ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("this machine knows no such time zone") from error
        return name

    @property
    def secure(self) -> bool:
        """Whether people reach the server by TLS, here or at the proxy."""
        return self.tls_certificate is not None or (self.public_url or "").startswith("https://")

    def database_address(self) -> str | None:
        """The address of the database server in plain words; it may hold a password."""
        return None if self.database is None else self.database.get_secret_value()

    def bucket(self) -> Bucket | None:
        """The bucket for the files of objects, with the key to it; None for where the workspace says."""
        return None if self.s3 is None else self.s3.bucket_of()


PARTS: Mapping[str, type[BaseModel]] = MappingProxyType({"oidc": OidcSettings, "s3": S3Settings})
"""Settings that have settings of their own."""


def load_settings(given: Mapping[str, Any], environment: Mapping[str, str], file: Path | None = None) -> Settings:
    """The settings: of the file, over which go those of the environment, over which go those that were `given`.

    Parameters
    ----------
    given : by name; None means that it was not given.
    environment : e.g. ``os.environ``; ``BINGCHENG_PORT`` sets `port`, ``BINGCHENG_OIDC_ISSUER`` the issuer of `oidc`,
        ``BINGCHENG_S3_BUCKET`` the bucket of `s3`.

    Raises
    ------
    InputError
        ``server.wrong-setting``, ``server.unreadable-settings``.
    """
    values = _of_file(file) if file is not None else {}
    values.update(_of_environment(Settings, environment, PREFIX))
    for name, model in PARTS.items():
        of_part = _of_environment(model, environment, f"{PREFIX}{name.upper()}_")
        if of_part:
            values[name] = {**values.get(name, {}), **of_part}
    values.update({name: value for name, value in given.items() if value is not None})
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise InputError(WRONG_SETTING, name=name, error=first["msg"]) from error


def _of_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(UNREADABLE_SETTINGS, file=str(file), error=type(error).__name__) from error


def _of_environment(model: type[BaseModel], environment: Mapping[str, str], prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        value = environment.get(f"{prefix}{name.upper()}")
        if not value or name in PARTS:
            continue
        kind = str(field.annotation)
        if kind.startswith("tuple"):
            found[name] = [part.strip() for part in value.split(",") if part.strip()]
        elif "Mapping" in kind:
            found[name] = dict(pair.split("=", 1) for pair in value.split(",") if "=" in pair)
        else:
            found[name] = value
    return found
