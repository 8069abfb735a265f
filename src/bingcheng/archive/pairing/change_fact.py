"""What became of a lesion between two exams, as it crosses: numbers, a verdict, and sentences of a closed form.

A sentence is a template whose places are filled with numbers, units and other sentences, as it is kept here; so each
side says it in the language of its readers. No other words fill it, and none of its places asks for more than a fact.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bingcheng.core.units import UNITS
from bingcheng.core.wording import Text

DEEPEST, MOST_REASONS = 3, 20
_PLACE = re.compile(r"\{([a-z][a-z0-9_]{0,30})\}")
_NUMBERS = re.compile(r"[-+0-9.,; ]*")
_SYMBOLS = frozenset(one.symbol for one in UNITS.values())

Number = Annotated[float, Field(allow_inf_nan=False)]
Place = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=31)]


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Sentence(_Closed):
    """One sentence.

    Parameters
    ----------
    template : English, with ``{named}`` places.
    facts : what fills them: a number, the symbol of a unit, several numbers, or another sentence.
    """

    template: Annotated[str, Field(min_length=1, max_length=500)]
    facts: Annotated[dict[Place, int | Number | Annotated[str, Field(max_length=64)] | Sentence], Field(max_length=12)]

    @model_validator(mode="after")
    def _filled(self) -> Sentence:
        places = set(_PLACE.findall(self.template))
        if set("{}") & set(_PLACE.sub("", self.template)) or not places <= set(self.facts):
            raise ValueError("a place that is not filled")
        for one in self.facts.values():
            if isinstance(one, str) and not _NUMBERS.fullmatch(one) and one not in _SYMBOLS:
                raise ValueError("words in place of a fact")
        if self.depth() > DEEPEST:
            raise ValueError("nested too deeply")
        return self

    def depth(self) -> int:
        """How many sentences stand one in the other."""
        return 1 + max((one.depth() for one in self.facts.values() if isinstance(one, Sentence)), default=0)

    def words(self) -> Iterator[str]:
        """All that could tell something."""
        yield self.template
        for one in self.facts.values():
            if isinstance(one, Sentence):
                yield from one.words()
            elif isinstance(one, str):
                yield one

    def said(self) -> Text:
        """As it is kept here."""
        return Text(
            self.template,
            {name: one.said() if isinstance(one, Sentence) else one for name, one in self.facts.items()},
        )


class ChangeFact(_Closed):
    """How one value of a lesion changed between two exams; lesion and exams by their numbers within the case.

    Parameters
    ----------
    low_percent, high_percent : what repetition alone explains.
    leads : whether it decided the verdict on the lesion.
    """

    lesion: Annotated[int, Field(ge=1, le=10_000)]
    before: Annotated[int, Field(ge=1, le=1000)]
    after: Annotated[int, Field(ge=1, le=1000)]
    modality: Annotated[str, Field(pattern=r"^[\w.:/ +-]*$", max_length=64)] = ""
    key: Annotated[str, Field(pattern=r"^[\w.:-]+$", max_length=128)]
    label: Annotated[str, Field(max_length=200)]
    unit: Annotated[str, Field(pattern=r"^[^\s<>]*$", max_length=32)]
    difference: Number | None = None
    percent: Number | None = None
    low_percent: Number | None = None
    high_percent: Number | None = None
    verdict: Literal["real", "within repeatability", "not comparable", "unknown"]
    reasons: Annotated[tuple[Sentence, ...], Field(max_length=MOST_REASONS, strict=False)] = ()
    leads: bool = False

    def words(self) -> Iterator[str]:
        """All that could tell something."""
        yield self.label
        for one in self.reasons:
            yield from one.words()


def sentence(said: Text) -> Sentence | None:
    """A sentence that is kept here as it crosses; None of one that can't.

    Numbers that numpy made are numbers like others.
    """
    try:
        return Sentence.model_validate({"template": said.template, "facts": dict(_facts(said))})
    except ValueError:
        return None


def _facts(said: Text) -> Iterator[tuple[str, object]]:
    for name, fact in said.facts.items():
        if isinstance(fact, Text):
            yield name, {"template": fact.template, "facts": dict(_facts(fact))}
        elif isinstance(fact, float):
            yield name, float(fact)
        else:
            yield name, fact
