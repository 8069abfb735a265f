"""Writing the demo study: every series rendered, given its noise, written as DICOM, and its truth kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import numpy as np

from bingcheng.engine.demo.ct import make_ct
from bingcheng.engine.demo.headers import Names
from bingcheng.engine.demo.job import Job
from bingcheng.engine.demo.mr import make_mr
from bingcheng.engine.demo.oddities import write_oddities
from bingcheng.engine.demo.pet import make_pet
from bingcheng.engine.demo.scenario import Story
from bingcheng.engine.demo.stories import stories
from bingcheng.engine.demo.truth import ExamTruth, SeriesTruth, Truth, VerdictTruth

SEED = 20261124


MAKERS: dict[str, Callable[[Job, Path], SeriesTruth]] = {"CT": make_ct, "PT": make_pet, "MR": make_mr}


def write_demo(
    folder: Path,
    *,
    seed: int = SEED,
    progress: Callable[[int, int], None] | None = None,
    workers: int = 2,
    told: tuple[Story, ...] | None = None,
) -> Truth:
    """Write the demo study and its truth (``truth.json``) into a folder; the same seed gives the same bytes.

    Three invented hospitals with two scanners each examine one invented patient twice by PET/CT and by MR. One lesion
    grows, two stay, one only seems to change because the second exam was made otherwise. A fourth patient's weight is
    missing; some files are broken. Each CT exam has a dose report; the doses of one hospital are unusually low.

    Parameters
    ----------
    folder : made if absent; files in it are overwritten.
    seed : of the noise, of where voxels fall, and of all UIDs.
    progress : called with the number of series done and of all series.
    workers : threads; they change nothing in the files.
    told : other stories than the demo's own.

    Returns
    -------
    What is true of the study; see `bingcheng.engine.demo.truth`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    told = stories() if told is None else told
    jobs = tuple(_jobs(folder, seed, told))
    done: list[SeriesTruth] = []
    with ThreadPoolExecutor(max_workers=workers) as pool:
        for made in pool.map(lambda job: MAKERS[job.modality](job, folder), jobs):
            done.append(made)
            if progress is not None:
                progress(len(done), len(jobs))
    refusals = write_oddities(folder, seed)
    truth = Truth(seed=seed, exams=_exams(jobs, done), verdicts=tuple(_verdicts(seed, told)), refusals=refusals)
    truth.write(folder / "truth.json")
    return truth


def _jobs(folder: Path, seed: int, told: tuple[Story, ...]) -> Iterator[Job]:
    streams = iter(np.random.SeedSequence(seed).spawn(64))
    for story in told:
        for number, visit in enumerate(story.visits, start=1):
            names = Names(seed=seed, story=story, visit=visit)
            base = folder / story.folder / story.person.identity.patient_id / f"visit{number}"
            hybrid = names.study("petct", visit.at, "FDG PET/CT body")
            mr_at = visit.at + timedelta(days=1, hours=2)
            resonance = names.study("mr", mr_at, "MR liver diffusion")
            for modality, wanted, study, started_at, place in (
                ("CT", visit.ct, hybrid, visit.at + timedelta(minutes=8), "petct"),
                ("PT", visit.pet, hybrid, visit.at + timedelta(minutes=12), "petct"),
                ("MR", visit.mr, resonance, mr_at + timedelta(minutes=11), "mr"),
            ):
                if wanted is not None:
                    yield Job(
                        names=names,
                        study=study,
                        modality=modality,
                        started_at=started_at,
                        folder=base / place,
                        rng=np.random.default_rng(next(streams)),
                    )


def _exams(jobs: tuple[Job, ...], done: list[SeriesTruth]) -> tuple[ExamTruth, ...]:
    together: dict[str, list[tuple[Job, SeriesTruth]]] = {}
    for job, truth in zip(jobs, done, strict=True):
        together.setdefault(job.study.uid, []).append((job, truth))
    return tuple(
        ExamTruth(
            study_uid=uid,
            hospital=pairs[0][0].names.story.hospital,
            patient_id=pairs[0][0].names.story.person.identity.patient_id,
            performed_at=pairs[0][0].study.performed_at.isoformat(),
            follow_up=pairs[0][0].visit.follow_up,
            broken=tuple(
                said
                for said in pairs[0][0].visit.broken
                if any(said.startswith("PET" if job.modality == "PT" else job.modality) for job, _ in pairs)
            ),
            series=tuple(truth for _, truth in pairs),
        )
        for uid, pairs in together.items()
    )


def _verdicts(seed: int, told: tuple[Story, ...]) -> Iterator[VerdictTruth]:
    for story in told:
        names = Names(seed=seed, story=story, visit=story.visits[0])
        for lesion in story.person.lesions:
            yield VerdictTruth(
                hospital=story.hospital,
                patient_id=story.person.identity.patient_id,
                lesion=lesion.name,
                tracking_uid=names.lesion_uid(lesion.name),
                verdict=lesion.verdict,
                why=lesion.why,
            )
