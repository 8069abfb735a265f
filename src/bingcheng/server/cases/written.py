"""What a form says about a case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from starlette.datastructures import FormData

from bingcheng.archive.cases.case import Question, Written
from bingcheng.archive.cases.problems import WRONG_QUIZ
from bingcheng.core.errors import InputError

MOST_QUESTIONS = 20


def written_of(form: Mapping[str, str]) -> Written:
    """What the form's fields say; unknown fields are left alone.

    Raises
    ------
    InputError
        ``archive.wrong-quiz``.
    """
    return Written(
        title=form.get("title", ""),
        context=form.get("context", ""),
        diagnosis=form.get("diagnosis", ""),
        diagnosis_code=form.get("diagnosis_code", ""),
        teaching=form.get("teaching", ""),
        body_part=form.get("body_part", ""),
        modality=form.get("modality", ""),
        tags=tuple(form.get("tags", "").replace("，", ",").replace("、", ",").split(",")),
        hidden=bool(form.get("hidden")),
        questions=tuple(_questions(form.get("quiz", ""))),
        show_hospital=bool(form.get("show_hospital")),
        language="en" if form.get("text_language") == "en" else "zh",
        licence=form.get("licence", ""),
    )


def fields_of(form: FormData) -> dict[str, str]:
    """The words of a form by field; files are left out."""
    return {key: value for key, value in form.items() if isinstance(value, str)}


def quiz_as_words(questions: Iterable[Question]) -> str:
    """The quiz as it is written in the form."""
    return "\n\n".join(
        "\n".join(
            (
                one.question,
                *(f"{'*' if number == one.right else '-'} {choice}" for number, choice in enumerate(one.choices)),
                *((f"= {one.explanation}",) if one.explanation else ()),
            )
        )
        for one in questions
    )


def _questions(words: str) -> Iterable[Question]:
    """One question a block: a line that asks, then ``- wrong``, ``* right``, and ``= why``."""
    blocks = [block for block in words.replace("\r\n", "\n").split("\n\n") if block.strip()]
    if len(blocks) > MOST_QUESTIONS:
        raise InputError(WRONG_QUIZ)
    for block in blocks:
        asked: list[str] = []
        choices: list[str] = []
        right: list[int] = []
        why: list[str] = []
        for line in (one.strip() for one in block.strip().split("\n")):
            if line[:1] in ("-", "*"):
                if line[0] == "*":
                    right.append(len(choices))
                choices.append(line[1:].strip())
            elif line.startswith("="):
                why.append(line[1:].strip())
            else:
                asked.append(line)
        if len(right) != 1:
            raise InputError(WRONG_QUIZ)
        yield Question(question=" ".join(asked), choices=tuple(choices), right=right[0], explanation=" ".join(why))
