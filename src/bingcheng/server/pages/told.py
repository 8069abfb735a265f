"""What a form answers: an error as the person should read it."""

from __future__ import annotations

from bingcheng.core.errors import BingchengError
from bingcheng.core.wording import Text

Told = tuple[Text, Text]
"""What is wrong, and what to do."""


def told(error: BingchengError) -> Told:
    """An error of ours in two sentences for the head of a form."""
    return error.reason, Text(error.problem.remedy, error.reason.facts)
