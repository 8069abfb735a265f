"""All features of a lesion with their uncertainty, against as many single runs of MIRP."""

from __future__ import annotations

from functools import partial

from benchmarks.clock import Contender, ContenderError, alternate, called, this_python
from benchmarks.environments import peer
from benchmarks.machine import CORES
from benchmarks.radiomics import FEATURES, lesions
from benchmarks.result import Ratio, Result
from benchmarks.settings import Settings

MIRP = "mirp==2.7.0"
LIMIT_S = 2.0
PERTURBATIONS = 30
OURS, THEIRS = "bingcheng", "MIRP, one run without perturbation"


def run(settings: Settings) -> Result:
    """Thirty perturbations in one call, the kernels loaded; MIRP runs once, since its runs are alike."""
    file = lesions(settings) / "30k.npz"
    ours = alternate(
        [Contender(name=OURS, once=partial(called, this_python(), "radiomics_robust_bingcheng", file, CORES))],
        settings.repeats,
    )[OURS]
    facts = ours.samples[0].facts
    if (facts["repetitions"], facts["values"]) != (PERTURBATIONS, FEATURES):
        raise ContenderError(f"{facts['repetitions']:.0f} perturbations of {facts['values']:.0f} features")
    wall_s = ours.median("wall_s")
    series, notes = [ours], [f"{facts['known']:.0f} of {FEATURES} uncertainties are known"]
    ratios = [
        Ratio(what=f"{PERTURBATIONS} perturbations, wall", value=wall_s, unit="s", at_most=LIMIT_S),
        Ratio(what=f"{PERTURBATIONS} perturbations, CPU", value=ours.median("cpu_s"), unit="s"),
    ]
    if settings.peers:
        answer = settings.scratch / "answer-mirp-30k.json"
        once = partial(called, peer(MIRP), "radiomics_mirp", file, 1, answer)
        theirs = alternate([Contender(name=THEIRS, once=once)], 1)[THEIRS]
        series.append(theirs)
        ratios.append(
            Ratio(
                what=f"{PERTURBATIONS} x one run of MIRP / ours", value=PERTURBATIONS * theirs.median("wall_s") / wall_s
            )
        )
        notes.append(f"MIRP ran once after a first run; {PERTURBATIONS} runs are extrapolated from it")
    title = "Radiomics: uncertainty of all features of a lesion of 30k voxels"
    return Result(title=title, series=tuple(series), ratios=tuple(ratios), notes=tuple(notes))
