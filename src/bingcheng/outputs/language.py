"""The reader's language: sentences, numbers, quantities and dates as a reader of that language expects them.

Everything below the outputs speaks in `Text`; here it becomes words. English is the language of the templates, so it
needs no catalogue; Chinese comes from the compiled gettext catalogue that ships with the package.
"""

from __future__ import annotations

import gettext
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from bingcheng.core.errors import CatalogueError, Owner, Problem
from bingcheng.core.units import unit
from bingcheng.core.wording import Text, plain_number

NO_CATALOGUE = Problem(
    code="outputs.no-translations",
    says="the translations of '{language}' are missing from this installation or can't be read",
    remedy="Install the package again; from a source tree run `python tools/translations.py` first.",
    owner=Owner.OPERATOR,
)

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MINUS = "\N{MINUS SIGN}"
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language that the program speaks; see `Language.of`.

    Parameters
    ----------
    code : ``en`` or ``zh``.
    tag : BCP 47 tag for the ``lang`` attribute of a page.
    translations : the gettext catalogue.
    """

    code: str
    tag: str
    translations: gettext.NullTranslations

    @staticmethod
    def of(code: str) -> Language:
        """The language of a code or of a locale's name (``zh``, ``zh_CN.UTF-8``, ``en_GB``); English for any other.

        Raises
        ------
        CatalogueError
            ``outputs.no-translations`` if the Chinese catalogue is not in the installation.
        """
        name = code.replace("-", "_").split(".")[0].split("@")[0].split("_")[0].lower()
        return _spoken("zh" if name == "zh" else "en")

    def say(self, sentence: Text | str) -> str:
        """`sentence` in this language. A bare string is translated as it stands; its braces are not filled in."""
        if isinstance(sentence, Text):
            return sentence.in_words(self._translated, self.number)
        return self._translated(str(sentence))

    def paragraph(self, sentences: Iterable[Text | str]) -> str:
        """Sentences one after the other; Chinese puts no space between them."""
        return ("" if self.code == "zh" else " ").join(self.say(sentence) for sentence in sentences)

    @property
    def comma(self) -> str:
        """What parts the things of a list."""
        return "、" if self.code == "zh" else ", "

    def plural(self, one: str, many: str, count: int) -> str:
        """`one` for a count of 1, else `many`, with ``{count}`` filled in. Chinese has one form for both."""
        return self.say(several(one, many, count))

    def number(self, value: float) -> str:
        """A number with four significant digits and a true minus; very large or small ones as a power of ten."""
        return _typeset(plain_number(value))

    def quantity(self, value: float, unit_code: str, uncertainty: float | None = None) -> str:
        """A value with its unit and, if known, its expanded uncertainty, e.g. ``12.3 ± 0.8 ml``.

        The uncertainty keeps two significant digits if they are at most 35, else one, and the value as many
        decimals: at most two digits (JCGM 100:2008, 7.2.6), cut as the Particle Data Group does, so that rounding
        never hides more than 5 % of the interval's half-width at 10 and never shows a digit that carries nothing.

        Parameters
        ----------
        value, uncertainty : in the unit; `uncertainty` is the expanded one (k = 2).
        unit_code : UCUM code.

        Raises
        ------
        CatalogueError
            ``core.unknown-unit``.
        """
        symbol = self.say(unit(unit_code).symbol)
        if uncertainty is None or not math.isfinite(uncertainty) or uncertainty <= 0:
            return _with_unit(self.number(value), symbol)
        decimals = _decimals(uncertainty)
        if decimals > 4:
            power = math.floor(math.log10(max(abs(value), uncertainty)))
            scale, digits = 10.0**-power, decimals + power
            number = (
                f"({value * scale:.{digits}f} ± {uncertainty * scale:.{digits}f})"
                f" × 10{str(power).translate(SUPERSCRIPTS)}"
            )
        else:
            shown = max(decimals, 0)
            number = f"{round(value, decimals):.{shown}f} ± {round(uncertainty, decimals):.{shown}f}"
        return _with_unit(_proper_minus(number), symbol)

    def rounded(self, value: float, unit_code: str, grain: float | None, *, signed: bool = False) -> str:
        """A value with its unit, as finely as `grain` (a spread or an uncertainty in the same unit) is shown itself."""
        if grain is None or not math.isfinite(grain) or grain <= 0:
            number = self.number(value)
        else:
            decimals = _decimals(grain)
            number = (
                f"{round(value, decimals) + 0.0:.{decimals}f}" if decimals >= 0 else f"{round(value, decimals):.0f}"
            )
            number = number if decimals <= 6 else self.number(value)
        plus = "+" if signed and value > 0 else ""
        return _with_unit(plus + _proper_minus(number), self.say(unit(unit_code).symbol))

    def percent(self, value: float, *, signed: bool = False) -> str:
        """A percentage; one decimal below 10 %. With `signed`, a plus stands before a rise."""
        digits = 1 if abs(value) < 9.95 else 0
        rounded = round(value, digits) + 0.0
        shown = f"{rounded:+.{digits}f}" if signed and rounded != 0 else f"{rounded:.{digits}f}"
        return f"{_proper_minus(shown)}%"

    def date(self, day: date) -> str:
        """A date: ``24 Nov 2026``, ``2026年11月24日``."""
        if self.code == "zh":
            return f"{day.year}年{day.month}月{day.day}日"
        return f"{day.day} {MONTHS[day.month - 1]} {day.year}"

    def _translated(self, message: str) -> str:
        # The empty message is gettext's header, never a sentence.
        return self.translations.gettext(message) if message else ""


@cache
def _spoken(code: str) -> Language:
    """English or Chinese; the catalogue is read once a process."""
    if code != "zh":
        return Language(code="en", tag="en", translations=gettext.NullTranslations())
    compiled = files("bingcheng") / "locale" / "zh_CN" / "LC_MESSAGES" / "bingcheng.mo"
    try:
        with compiled.open("rb") as stream:
            return Language(code="zh", tag="zh-CN", translations=gettext.GNUTranslations(stream))
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(NO_CATALOGUE, language="zh_CN") from error


def several(one: str, many: str, count: int) -> Text:
    """The sentence `one` for a count of 1, else `many`; the count fills the place ``{count}``."""
    return Text(one if count == 1 else many, {"count": count})


def _decimals(uncertainty: float) -> int:
    """Decimals to which an uncertainty is shown; negative where tens or hundreds are rounded."""
    exponent = math.floor(math.log10(uncertainty))
    leading = uncertainty / 10.0**exponent
    if leading >= 9.5:
        return -exponent
    return 1 - exponent if leading < 3.55 else -exponent


def _typeset(number: str) -> str:
    mantissa, marker, exponent = number.partition("e")
    if not marker:
        return _proper_minus(number)
    return f"{_proper_minus(mantissa)} × 10{str(int(exponent)).translate(SUPERSCRIPTS)}"


def _proper_minus(number: str) -> str:
    return number.replace("-", MINUS)


def _with_unit(number: str, symbol: str) -> str:
    if not symbol:
        return number
    if symbol.startswith("10"):
        return f"({number}) × {symbol}" if " " in number else f"{number} × {symbol}"
    return f"{number}{symbol}" if symbol in {"°", "%"} else f"{number} {symbol}"
