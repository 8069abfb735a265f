"""Writing the page: one file that needs no network, opens from a folder, and prints."""

from __future__ import annotations

from base64 import b64encode
from functools import cache, partial
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bingcheng.compare.change import Verdict
from bingcheng.compare.dose_overview import DoseOverview
from bingcheng.core.finding import Level, Outcome, Trust
from bingcheng.core.wording import Fact, Text
from bingcheng.outputs.assessment import Assessment
from bingcheng.outputs.compiled_templates import CompiledTemplates
from bingcheng.outputs.follow_up.response_words import RESPONSE_WORDS
from bingcheng.outputs.language import Language
from bingcheng.outputs.report.dose import dose_section, template_names
from bingcheng.outputs.report.exams import exam_cards
from bingcheng.outputs.report.follow_up import follow_up_section
from bingcheng.outputs.report.hospitals import comparison, site_cards
from bingcheng.outputs.report.lesions import LesionCards
from bingcheng.outputs.report.radiomics import cohort_blocks
from bingcheng.outputs.report.response import response_section
from bingcheng.outputs.report.response import template_names as response_names
from bingcheng.outputs.report.slices import Slices
from bingcheng.outputs.report.words import (
    EXAM_WORDS,
    OUTCOME_WORDS,
    TRUST_WORDS,
    VERDICT_MEANINGS,
    VERDICT_WORDS,
    style,
)
from bingcheng.outputs.scanner import scanner_in_words
from bingcheng.outputs.summary import (
    among_peers,
    headline,
    lesion_count,
    only_repeats,
    outside_by,
    priorities,
    protocol_of,
)
from bingcheng.outputs.whole_file import whole_file

FILE_NAME = "index.html"
TEMPLATES = "bingcheng.outputs.report"
NO_DOSES = DoseOverview(exams=(), levels=(), sites=())
"""What is shown where no exam is of CT."""


def write_report(assessment: Assessment, folder: Path, language: Language) -> Path:
    """Write the report of `assessment` into `folder` (made if absent) and return the path of its ``index.html``.

    The file is replaced as a whole: a reader never sees half a page.

    Raises
    ------
    OSError
        if the folder can't be written; the caller knows what to say about its own folder.
    """
    target = folder / FILE_NAME
    with whole_file(target) as unfinished:
        unfinished.write_text(page(assessment, language), encoding="utf-8")
    return target


def page(assessment: Assessment, language: Language) -> str:
    """The whole page as text."""
    slices = Slices(language)
    # The lesions come first on the page and first in the budget of images.
    lesions = LesionCards(assessment, slices, language).all()
    exams = exam_cards(assessment, slices, language)
    css = "".join(map(_asset, ("report.css", "dose.css", "radiomics.css", "response.css")))
    script = "".join(map(_asset, ("report.js", "pictures.js")))
    return (
        environment(language)
        .get_template("report.html.jinja")
        .render(
            assessment=assessment,
            language=language,
            headline=headline(assessment),
            priorities=priorities(assessment),
            lesion_count=lesion_count(assessment),
            patient_count=len({exam.patient for exam in assessment.exams}),
            lesions=lesions,
            exams=exams,
            sites=site_cards(assessment, language),
            comparison=comparison(assessment, language),
            dose=dose_section(
                assessment.dose or NO_DOSES,
                language,
                {exam.uid: exam.label for exam in assessment.exams},
                {card.exam.uid: card.anchor for card in exams},
            ),
            cohorts=cohort_blocks(assessment),
            follow_up=follow_up_section(assessment),
            response=response_section(assessment, language),
            definitions=slices.definitions(),
            css=Markup(css),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            css_hash=_hash(css),
            script_hash=_hash(script),
        )
    )


@cache
def environment(language: Language) -> Environment:
    """The templates' environment: everything is escaped, an unknown name raises, ``_`` and ``say`` speak `language`.

    One for each language: to compile the templates takes longer than to fill them in.
    """

    def sentence(template: str, **facts: Fact | Text) -> str:
        return language.say(Text(template, facts)) if facts else language.say(template)

    templates = Environment(
        loader=PackageLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=CompiledTemplates(),
    )
    templates.globals.update(
        {
            "_": sentence,
            "_n": language.plural,
            "say": language.say,
            "style": style,
            "protocol_of": protocol_of,
            "only_repeats": only_repeats,
            "outside_by": outside_by,
            "among_peers": among_peers,
            "scanner": partial(scanner_in_words, language=language),
            "Verdict": Verdict,
            "Outcome": Outcome,
            "Level": Level,
            "Trust": Trust,
            "verdict_words": VERDICT_WORDS,
            "verdict_meanings": VERDICT_MEANINGS,
            "outcome_words": OUTCOME_WORDS,
            "exam_words": EXAM_WORDS,
            "trust_words": TRUST_WORDS,
            "response_words": RESPONSE_WORDS,
            **template_names(),
            **response_names(),
        }
    )
    return templates


def _asset(name: str) -> str:
    return (files(TEMPLATES) / "assets" / name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    """The content's hash as a Content Security Policy names it; the page may run and style nothing else."""
    return "sha256-" + b64encode(sha256(content.encode()).digest()).decode("ascii")
