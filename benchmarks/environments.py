"""Peers, each in an environment of its own below ``benchmarks/.environments`` (not under version control)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / ".environments"
INSTALL_LIMIT_S = 900.0


def peer(requirement: str, *, compiled: bool = True) -> Path:
    """The interpreter of an environment that holds `requirement` (``name==version``), made at the first call.

    Parameters
    ----------
    requirement : of one program.
    compiled : have all of its modules compiled when it is installed, as who measures its speed needs them. Who asks it
        a few questions waits longer for that than for the answers.

    Raises
    ------
    subprocess.SubprocessError
        when it can't be installed.
    """
    place = FOLDER / requirement.replace("==", "-")
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = place / "installed"
    if done.exists() and python.exists():
        return python
    shutil.rmtree(place, ignore_errors=True)  # an installation that was cut off
    # Our own pip installs it: to put one into each environment takes longer than many a program.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True, timeout=INSTALL_LIMIT_S)
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "--disable-pip-version-check",
        "install",
        "--quiet",
    ]
    command += ["--compile" if compiled else "--no-compile", requirement]
    subprocess.run(command, check=True, timeout=INSTALL_LIMIT_S)
    done.write_text(f"{requirement}\n")
    return python


def versions(python: Path, *packages: str) -> str:
    """The installed versions of packages in an environment, in words."""
    code = "import importlib.metadata as m, sys; print(*(f'{p} {m.version(p)}' for p in sys.argv[1:]), sep=', ')"
    done = subprocess.run([str(python), "-c", code, *packages], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()
