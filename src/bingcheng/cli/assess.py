"""``bingcheng assess``: run the main job with progress, print the summary, say where the report is."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bingcheng.archive.workspace import Workspace
from bingcheng.cli.exits import GATE, NOTHING_FOUND, OK, print_json, tell_error
from bingcheng.cli.nothing_found import nothing_found
from bingcheng.cli.progress import progress_bars
from bingcheng.cli.terminal import MOST_REFUSALS, print_refusals, print_summary
from bingcheng.cli.usage import WrongUsage
from bingcheng.core.errors import BingchengError, Owner, Problem
from bingcheng.core.wording import text
from bingcheng.engine.numbers import keep_numbers
from bingcheng.engine.publish import Published, publish
from bingcheng.engine.radiomics.asked import Asked
from bingcheng.engine.received.derived import follow_run
from bingcheng.engine.run import Options, Tally, assess
from bingcheng.outputs.assessment import Assessment
from bingcheng.outputs.language import Language
from bingcheng.outputs.machine_readable import as_json
from bingcheng.protocol.library import load

RADIOMICS_AND_NOT = Problem(
    code="cli.radiomics-and-not",
    says="--no-radiomics contradicts --radiomics and --radiomics-settings",
    remedy="Leave one of them out.",
    owner=Owner.OPERATOR,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the person asked for; see the options of ``bingcheng assess``."""

    paths: tuple[Path, ...]
    workspace: Path
    database: str | None = None
    strict: bool = False
    json: bool = False
    identified: bool = False
    again: bool = False
    protocols: tuple[str, ...] = ()
    own_protocols: tuple[Path, ...] = ()
    radiomics: bool = False
    radiomics_settings: Path | None = None
    no_radiomics: bool = False
    workers: int = 2
    scheduler: str | None = None
    quiet: bool = False


def run_assess(request: Request, language: Language) -> int:
    """Assess, publish, summarise; returns the exit code."""
    options = Options(
        workers=request.workers,
        scheduler=request.scheduler,
        again=request.again,
        protocols=request.protocols,
        own_protocols=tuple(load(path) for path in request.own_protocols),
        language=language,
        radiomics=_radiomics(request),
        no_radiomics=request.no_radiomics,
    )
    workspace = Workspace.open(request.workspace, request.database)
    try:
        with progress_bars(language, shown=not (request.quiet or request.json)) as told:
            tally = assess(request.paths, workspace, options, told)
            step = text("Writing report and tables")
            told(step, 0, 1)
            published = publish(workspace, language, identified=request.identified)
            seen = published.assessment
            keep_numbers(workspace, seen, datetime.now(UTC).replace(tzinfo=None))
            with suppress(BingchengError):  # the results are stored; the archive follows at the next opportunity
                follow_run(workspace)
            told(step, 1, 1)
    finally:
        workspace.close()
    if tally.found == 0 and not request.json:
        return _nothing_found(request, language, seen)
    _report(request, language, tally, seen, published)
    if tally.found == 0:
        tell_error(language, nothing_found(request.paths, refused=bool(seen.refusals)))
        return NOTHING_FOUND
    return GATE if request.strict and _stopped_at_gate(tally, seen) else OK


def _radiomics(request: Request) -> Asked | None:
    """What features are asked for.

    Raises
    ------
    InputError
        ``cli.radiomics-and-not``; what `Asked.by` raises.
    """
    wanted = request.radiomics or request.radiomics_settings is not None
    if wanted and request.no_radiomics:
        raise WrongUsage(RADIOMICS_AND_NOT)
    return Asked.by(request.radiomics_settings) if wanted else None


def _nothing_found(request: Request, language: Language, seen: Assessment) -> int:
    """Say once what was there instead of an exam; a summary of nothing would hide it."""
    if not request.quiet:
        heading = text("These files could not be used:")
        print_refusals(Console(), language, seen.refusals, heading=heading, most=MOST_REFUSALS)
    tell_error(language, nothing_found(request.paths, refused=bool(seen.refusals)))
    return NOTHING_FOUND


def _stopped_at_gate(tally: Tally, seen: Assessment) -> bool:
    """Whether one of the exams given now failed: a required criterion is not known to be met, or nothing could be read.

    What else the workspace holds does not count.
    """
    given = [exam for exam in seen.exams if exam.uid in tally.given]
    unreadable = any(exam.refusals and not exam.series for exam in given)
    return tally.failed > 0 or unreadable or any(finding.gates for exam in given for finding in exam.findings)


def _report(request: Request, language: Language, tally: Tally, seen: Assessment, published: Published) -> None:
    if request.json:
        result = as_json(seen, language)
        result["tally"] = {
            "found": tally.found,
            "assessed": tally.assessed,
            "unchanged": tally.unchanged,
            "failed": tally.failed,
        }
        result["report"] = str(published.report)
        print_json(result)
    elif not request.quiet:
        print_summary(Console(), language, seen, tally, published)
