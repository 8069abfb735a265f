"""Scanners as people read them: vendor, model, and which one of that model."""

from __future__ import annotations

from bingcheng.core.wording import text
from bingcheng.outputs.language import Language

NO_SERIAL = "#?"
"""Stands where a scanner's serial number would: vendor and model are known, which one it is is not."""


def without_serial(vendor: str | None, model: str | None) -> str:
    """The scanner of which no serial number is recorded; empty if nothing at all is."""
    known = " ".join(filter(None, (vendor, model)))
    return f"{known} {NO_SERIAL}" if known else ""


def scanner_in_words(device: str, language: Language) -> str:
    """`device` as a person reads it, with a word for what is not recorded.

    Parameters
    ----------
    device : ``VENDOR model #digest`` of the serial number, ``VENDOR model #?``, or empty.
    """
    if not device:
        return language.say(text("scanner not recorded"))
    if device.endswith(NO_SERIAL):
        known = device.removesuffix(NO_SERIAL).rstrip()
        return language.say(text("{scanner} (serial number not recorded)", scanner=known))
    return device
