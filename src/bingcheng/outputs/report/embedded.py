"""Pieces of the report for pages of others: an exam, lesions over time, responses, which lesion is which, hospitals.

A page that shows them brings ``report.css``, ``radiomics.css``, ``response.css`` and ``pictures.js`` of the report's
assets, and a button ``#contours``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache

from jinja2 import Environment
from markupsafe import Markup

from bingcheng.compare.lesions import LesionChange
from bingcheng.outputs.assessment import Assessment
from bingcheng.outputs.language import Language
from bingcheng.outputs.report.exams import exam_cards
from bingcheng.outputs.report.follow_up import follow_up_section
from bingcheng.outputs.report.hospitals import comparison
from bingcheng.outputs.report.lesions import LesionCard, LesionCards
from bingcheng.outputs.report.page import environment
from bingcheng.outputs.report.response import response_section
from bingcheng.outputs.report.slices import Slices


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """Pieces of one assessment, each as HTML.

    Parameters
    ----------
    exams : the article of each exam that was wanted, by its UID.
    lesions : each lesion's article, by the UIDs of the exams in which it was seen.
    responses : RECIST 1.1 as calculated; empty where there is no lesion, or one exam's lesions alone are wanted.
    links : which lesion is which, where that was not plain; empty where it was.
    surroundings : what must stand once on the page: icons, the embedded images, the box for enlarged images.
    """

    exams: Mapping[str, Markup]
    lesions: tuple[tuple[frozenset[str], LesionCard, Markup], ...]
    responses: Markup
    links: Markup
    surroundings: Markup


def embedded(
    assessment: Assessment,
    language: Language,
    *,
    exam_path: str,
    exams: Collection[str],
    lesions_of: str | None = None,
    links_path: str = "",
) -> Embedded:
    """The pieces that a page shows; the others are not made, which of a patient with many exams takes long.

    Parameters
    ----------
    exam_path : where an exam's page is, with ``{uid}`` in it.
    exams : UIDs of those whose articles are wanted.
    lesions_of : the exam whose lesions are wanted; all lesions for None.
    links_path : where a reader confirms or changes links; empty where that is done in a terminal.
    """
    slices = Slices(language)
    changes = tuple(one for one in assessment.changes if lesions_of is None or lesions_of in _exams_of(one))
    lesions = LesionCards(replace(assessment, changes=changes), slices, language, exam_path=exam_path).all()
    wanted = tuple(one for one in assessment.exams if one.uid in exams)
    cards = exam_cards(replace(assessment, exams=wanted), slices, language)
    found = follow_up_section(assessment, path=links_path)
    response = None if lesions_of is not None else response_section(assessment, language, exam_path=exam_path)

    def made(macro: str, *given: object) -> Markup:
        return _piece(language.code, macro)(*given)

    articles = tuple((_exams_of(card.change), card, made("lesion", card)) for card in lesions)
    links = made("links", found) if found.blocks else Markup("")
    return Embedded(
        exams={card.exam.uid: made("exam", card) for card in cards},
        lesions=articles,
        responses=made("responses", response) if response else Markup(""),
        links=links,
        surroundings=surroundings(slices, language),
    )


def surroundings(slices: Slices, language: Language) -> Markup:
    """What must stand once on a page with key images: icons, the images themselves, the box for enlarged ones."""
    return _piece(language.code, "surroundings")() + slices.definitions()


def side_by_side(assessment: Assessment, language: Language) -> Markup:
    """Each measure of image quality at every scanner beside the other hospitals'; exams are not needed for it."""
    rendered = (
        _templates(language.code)
        .get_template("side_by_side.html.jinja")
        .render(sites=assessment.sites, comparison=comparison(assessment, language))
    )
    return Markup(rendered) + _piece(language.code, "surroundings")()  # noqa: S704 - our own template, which escapes


@cache
def _templates(code: str) -> Environment:
    """The templates in a language, read once: compiling them takes longer than all else on a page."""
    language = Language.of(code)
    made = environment(language)
    made.globals["language"] = language
    return made


@cache
def _piece(code: str, macro: str) -> Callable[..., Markup]:
    pieces = _templates(code).get_template("embedded.html.jinja").module
    found: Callable[..., Markup] = getattr(pieces, macro)
    return found


def _exams_of(change: LesionChange) -> frozenset[str]:
    return frozenset(one.exam_uid for one in change.history)
