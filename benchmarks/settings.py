"""How large and how often."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the command line asked for.

    Parameters
    ----------
    scratch : folder for generated data and workspaces.
    repeats : runs of each contender.
    files : headers to index.
    slices, matrix : of the CT exam.
    exams : stored exams to judge.
    lesions : lesions whose radiomics features are extracted at once.
    warming : lesions that keep a process busy for longer than starting others takes.
    peers : whether to install and run the peers that are no dependency of ours.
    profile : whether to profile the exam as well.
    """

    scratch: Path
    repeats: int = 3
    files: int = 1000
    slices: int = 300
    matrix: int = 512
    exams: int = 1000
    lesions: int = 1000
    warming: int = 1000
    peers: bool = True
    profile: bool = False
