"""A scanner is told by what is known of it, and what isn't is said."""

from __future__ import annotations

import pytest

from bingcheng.outputs.language import Language
from bingcheng.outputs.scanner import scanner_in_words, without_serial

EN = Language.of("en")


@pytest.mark.parametrize(
    ("vendor", "model", "words"),
    [
        ("SIEMENS", "Skyra", "SIEMENS Skyra (serial number not recorded)"),
        (None, "Skyra", "Skyra (serial number not recorded)"),
        ("GE", None, "GE (serial number not recorded)"),
        (None, None, "scanner not recorded"),
    ],
)
def test_what_is_known_of_a_scanner_is_shown(vendor: str | None, model: str | None, words: str) -> None:
    assert scanner_in_words(without_serial(vendor, model), EN) == words


def test_a_scanner_with_its_number_stays_as_it_is() -> None:
    assert scanner_in_words("SIEMENS Skyra #1a2b3c4d", EN) == "SIEMENS Skyra #1a2b3c4d"
