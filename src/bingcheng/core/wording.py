"""Sentences for people, kept as a template and its facts so that any language can be spoken at the edge.

The floors below the outputs never join strings: they hand up a `Text`, whose template is also the key into the
gettext catalogues. Numbers stay numbers until the reader's language is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Fact = str | float | int
"""What a sentence may be filled with. Never patient data: texts reach logs, reports and other hospitals."""


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence: an English template with ``{named}`` places, and the facts that fill them.

    A fact may itself be a `Text`; it is translated before it is filled in.
    """

    template: str
    facts: Mapping[str, Fact | Text] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "facts", MappingProxyType(dict(self.facts)))

    def __str__(self) -> str:
        return self.in_words(lambda template: template, plain_number)

    def __hash__(self) -> int:
        return hash((self.template, tuple(sorted((k, str(v)) for k, v in self.facts.items()))))

    def __reduce__(self) -> tuple[type[Text], tuple[str, dict[str, Fact | Text]]]:
        return Text, (self.template, dict(self.facts))

    def in_words(self, translate: Callable[[str], str], number: Callable[[float], str]) -> str:
        """The sentence in the language of `translate`, its numbers as `number` writes them."""
        filled = {
            name: fact.in_words(translate, number)
            if isinstance(fact, Text)
            else number(fact)
            if isinstance(fact, int | float)
            else fact
            for name, fact in self.facts.items()
        }
        return translate(self.template).format_map(filled)

    def as_json(self) -> dict[str, object]:
        """A JSON object from which `from_json` makes the same text again."""
        return {
            "template": self.template,
            "facts": {name: fact.as_json() if isinstance(fact, Text) else fact for name, fact in self.facts.items()},
        }

    @staticmethod
    def from_json(stored: Mapping[str, object]) -> Text:
        """The text that `as_json` wrote."""
        facts = stored.get("facts", {})
        if not isinstance(facts, Mapping):
            raise TypeError("a stored text has its facts as a mapping")
        return Text(
            str(stored["template"]),
            {str(k): Text.from_json(v) if isinstance(v, Mapping) else v for k, v in facts.items()},
        )


def text(template: str, **facts: Fact | Text) -> Text:
    """A `Text`; the extractor of the translation catalogues looks for calls of this name."""
    return Text(template, facts)


def plain_number(value: float) -> str:
    """A number as an English reader expects it: four significant digits, no exponent in the usual range."""
    if isinstance(value, int):
        return str(value)
    if value != 0 and not 1e-4 <= abs(value) < 1e7:
        return f"{value:.3g}"
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:.0f}"
