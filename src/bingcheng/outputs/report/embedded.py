"""Pieces of the report for pages of others: an exam, lesions over time, which lesion is which.

A page that shows them brings ``report.css``, ``radiomics.css`` and ``pictures.js`` of the report's assets, and a button
``#contours``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment
from markupsafe import Markup

from bingcheng.outputs.assessment import Assessment
from bingcheng.outputs.language import Language
from bingcheng.outputs.report.exams import ExamCard, exam_cards
from bingcheng.outputs.report.follow_up import follow_up_section
from bingcheng.outputs.report.hospitals import comparison, site_cards
from bingcheng.outputs.report.lesions import LesionCard, LesionCards
from bingcheng.outputs.report.page import environment
from bingcheng.outputs.report.slices import Slices


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """Pieces of one assessment, each as HTML.

    Parameters
    ----------
    exams : each exam's article, by its UID.
    lesions : each lesion's article, by the UIDs of the exams in which it was seen.
    links : which lesion is which, where that was not plain; empty where it was.
    surroundings : what must stand once on the page: icons, the embedded images, the box for enlarged images.
    """

    exams: Mapping[str, Markup]
    lesions: tuple[tuple[frozenset[str], LesionCard, Markup], ...]
    links: Markup
    surroundings: Markup
    cards: Mapping[str, ExamCard]


def embedded(assessment: Assessment, language: Language, *, exam_path: str) -> Embedded:
    """The pieces.

    Parameters
    ----------
    exam_path : where an exam's page is, with ``{uid}`` in it.
    """
    slices = Slices(language)
    lesions = LesionCards(assessment, slices, language, exam_path=exam_path).all()
    cards = exam_cards(assessment, slices, language)
    found = follow_up_section(assessment)

    def made(macro: str, *given: object) -> Markup:
        return _piece(language.code, macro)(*given)

    exams = {card.exam.uid: made("exam", card) for card in cards}
    articles = tuple((_seen_in(card), card, made("lesion", card)) for card in lesions)
    links = made("links", found) if found.blocks else Markup("")
    surroundings = Markup("").join((made("surroundings"), slices.definitions()))
    return Embedded(
        exams=exams,
        lesions=articles,
        links=links,
        surroundings=surroundings,
        cards={card.exam.uid: card for card in cards},
    )


def hospitals(assessment: Assessment, language: Language) -> Markup:
    """The hospitals of an assessment, each for itself and side by side; exams are not needed for it."""
    rendered = (
        _templates(language.code)
        .get_template("hospitals.html.jinja")
        .render(sites=site_cards(assessment, language), comparison=comparison(assessment, language))
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


def _seen_in(card: LesionCard) -> frozenset[str]:
    return frozenset(one.exam_uid for one in card.change.history)
