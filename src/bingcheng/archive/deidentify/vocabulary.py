"""Descriptions cleaned: only words that are known to describe an examination stay, never those of a person.

An allow-list, not a list of what is forbidden: a name that nobody thought of goes too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache
from importlib.resources import files
from itertools import pairwise

from pydicom.datadict import tag_for_keyword

from bingcheng.archive.deidentify import b_values

UNITS = frozenset(
    (
        *(
            "mm",
            "cm",
            "ml",
            "mg",
            "kg",
            "mbq",
            "gbq",
            "mgy",
            "hu",
            "kv",
            "kvp",
            "ma",
            "mas",
            "ms",
            "msec",
            "s",
            "sec",
            "secs",
        ),
        *(
            "min",
            "h",
            "hr",
            "deg",
            "hz",
            "mhz",
            "t",
            "x",
            "b",
            "tr",
            "te",
            "ti",
            "fov",
            "day",
            "days",
            "slices",
            "phase",
        ),
    )
)
"""Words beside which a number of three digits or more is a setting, not somebody's number."""
_TOKEN = re.compile(
    r"(?P<number>\d+(?:[.,/:-]\d+)*)(?![^\W_\u3400-\u9fff])|(?P<word>[^\W_\u3400-\u9fff]+)|(?P<han>[\u3400-\u9fff]+)|(?P<other>[\W_])"
)
_RUNS = re.compile(r"\d+|[^\d]+")
_KEPT_WHOLE = re.compile(r"Cornerstone3DTools@\^\d{1,2}\.\d{1,2}\.\d{1,2}:([A-Za-z]{1,40})")
"""Identifiers by which a viewer knows its own measurements again, each with the name of a tool."""
_MARKS = frozenset(
    " \t\r\n_-/+*.,;:()[]<>=&%#^'?~\u00b2\u00b0\u00b5\u03bc\u00b1\u00d7\u2264\u2265"
    "\u3001\uff0c\u3002\uff08\uff09\uff1f\uff1a\uff1b"
)
"""What parts words stays, and what says how sure somebody is: a lesion with a question mark is another one without."""
_SEPARATORS = frozenset(" _-/+,;:.^")
NOBODY = frozenset(
    (
        *("anon", "anonymous", "anonymized", "anonymised", "anonymize", "deidentified", "none", "unknown", "removed"),
        *("patient", "noname", "unnamed", "null", "匿名", "无名氏", "未知"),
    )
)
"""What stands in place of names and numbers and is nobody's."""
_CHINESE, _IODINE = "zh:", "iodine:"
_MARKED = frozenset((_CHINESE, _IODINE))
"""What begins a line of Chinese words, and before them one of contrast agents for CT."""
_DENIES = frozenset(("no", "not", "non", "without"))
"""They stay though a patient is called so: what is denied must not become a finding."""
_NAMES_TOO = frozenset(("Ma", "Hu", "Si", "He", "Ye", "Bo", "Don", "Glass", "Haven", "Wall"))
"""Names as they are written, though their letters are units or words of findings too."""
_IODINE_MG_PER_ML = frozenset(
    ("140", "150", "180", "200", "240", "250", "270", "280", "300", "320", "350", "370", "400")
)
"""In which concentrations they are sold; the number stands behind the name."""
NUMBERED = frozenset(("b", "te", "tr", "ti", "fov", "kv", "ma", "ns"))
B_VALUES = "b-values"
"""The kind of a token that is a whole list of them."""
MOST_MARK, MOST_SERIES, MOST_LABEL = 2, 3, 10
"""Letters of a device's mark alone, beside digits, and characters of both together."""
MOST_SPELT = 3
"""Letters alone, one behind the other."""
MOST_COUNTED, MOST_DIGITS, MOST_DIGITS_OF_FEW = 3, 5, 7
"""Whole numbers one behind the other, and digits of more of them, and of fewer: 1 9 5 2 0 3 1 7, 138 1234 5678."""
ROUND = 10
"""Steps in which settings rise that are listed: b-values, times after the injection."""
_PERCENT = frozenset("%")
"""Parts numbers: ten phases of a breath are no number of somebody's."""
_MONTHS = frozenset(
    (
        *("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec"),
        *("january", "february", "march", "april", "june", "july", "august"),
        *("september", "october", "november", "december"),
    )
)
"""Beside two numbers they make a day, though metal artefacts and tomography are written so too (MAR, OCT)."""
_VERSION = re.compile(r"\d{1,4}(?:[.,]\d{1,6}){0,4}")
_DAY = re.compile(r"(?:19|20)\d\d[.,]\d\d?[.,]\d\d?|\d\d?[.,]\d\d?[.,](?:19|20)\d\d")
_LONG = re.compile(r"\d{5}")
_CHINESE_DAY = re.compile(r"(?:\d{2,4} *年 *)?\d{1,2} *月 *\d{1,2} *[日号]|\d{4} *年 *\d{1,2} *月")
_CARD_END = re.compile(r"(?<=\d{6})[ _-]+\d{3}[Xx]\b")
"""The end of a Chinese identity card's number that is written in pieces: alone it reads as a setting."""
_MODEL = re.compile(r"([a-z]{4,})\d{1,3}")
YEARS = frozenset(("y", "yr", "yrs", "yo", "year", "years", "jahre", "岁"))
OLDEST_TOLD_YEARS = 89
"""Of nobody older the age is told (45 CFR 164.514(b)(2)(i)(C))."""


@cache
def words() -> frozenset[str]:
    """The English words, lower case."""
    return frozenset(word for line in _lines() if not line.startswith(_CHINESE) for word in _said(line))


@cache
def iodinated() -> frozenset[str]:
    """Of all the words those that name contrast agents for CT, lower case."""
    return frozenset(word for line in _lines() if _IODINE in line.split() for word in _said(line))


@cache
def device_words() -> frozenset[str]:
    """Further words, lower case, of what devices write about themselves: makers, models, sequences, coils, kernels."""
    return frozenset(word for line in _lines("device_words.txt") for word in line.split())


@cache
def chinese() -> frozenset[str]:
    """The Chinese words."""
    return frozenset(word for line in _lines() if line.startswith(_CHINESE) for word in _said(line))


def _lines(name: str = "vocabulary.txt") -> Iterable[str]:
    stored = files("bingcheng.archive.deidentify").joinpath(name).read_text("utf-8")
    return (line for line in stored.splitlines() if line and not line.startswith("#"))


def _said(line: str) -> list[str]:
    """The words of a line, without what marks it."""
    return [word for word in line.split() if word not in _MARKED]


def cleaned(
    said: str,
    forbidden: Callable[[str], bool],
    more: Collection[str] = (),
    *,
    of_device: bool = False,
    own_b_values: Collection[int] = (),
) -> str:
    """What of a description may stay; the same text where all of it may.

    Parameters
    ----------
    forbidden : whether a word (lower case) belongs to the patient or the hospital, even if it is a known one.
    more : further words that may stay, lower case.
    of_device : whether a device wrote it about itself: versions, models and other short labels stay too.
    own_b_values : of the object itself, in s/mm2: a list of them stays without a ``b`` before it.

    Returns
    -------
    The words that may stay, as they were written and parted; empty if none may. Cleaning it again changes nothing.
    """
    of_viewer = _KEPT_WHOLE.fullmatch(said)
    if of_viewer is not None and of_viewer[1].casefold() in words():
        return said
    bare = _CARD_END.sub(" ", _CHINESE_DAY.sub(" ", said))
    said = said if bare == said else bare.strip()
    while True:
        tokens = list(_tokens(said, b_values.lists(said, forbidden, own_b_values)))
        kept = [
            token if of_device and _is_device_label(kind, token, forbidden) else _kept(tokens, place, forbidden, more)
            for place, (kind, token) in enumerate(tokens)
        ]
        _without_spelt(tokens, kept)
        _without_counted(tokens, kept)
        if all(part == token for part, (_, token) in zip(kept, tokens, strict=True)):
            return said if any(kind != "other" for kind, _ in tokens) else ""
        said = _joined(kept)


def _tokens(said: str, lists: Iterable[tuple[int, int]]) -> Iterator[tuple[str, str]]:
    """Words, numbers and what is between them, each with its kind; a list of b-values is one."""
    at = 0
    for begin, end in (*lists, (len(said), len(said))):
        for found in _TOKEN.finditer(said, at, begin):
            yield found.lastgroup or "other", found.group()
        if begin < end:
            yield B_VALUES, said[begin:end]
        at = end


def _without_spelt(tokens: list[tuple[str, str]], kept: list[str]) -> None:
    """Drop words that are spelt letter by letter, in place: each letter is a word, all of them may be a name."""
    letters: list[int] = []
    for place, (kind, token) in enumerate([*tokens, ("word", "")]):
        if kind == "word" and len(token) == 1:
            letters.append(place)
        elif kind != "other":
            if len(letters) > MOST_SPELT:
                for one in letters:
                    kept[one] = ""
            letters = []


def _without_counted(tokens: list[tuple[str, str]], kept: list[str]) -> None:
    """Drop a long number that is written in pieces, and a day with the name of its month, in place."""
    run: list[int] = []
    for place, (kind, token) in enumerate([*tokens, ("end", "")]):
        if (kind == "number" and token.isdecimal()) or (kind == "word" and token.casefold() in _MONTHS):
            run.append(place)
        elif kind != "other" or token in _PERCENT:
            if _is_somebodys([tokens[one] for one in run]):
                for one in run:
                    kept[one] = ""
            run = []


def _is_somebodys(run: list[tuple[str, str]]) -> bool:
    """Whether numbers, and months among them, are a day or as many digits as somebody's number has."""
    numbers = [token for kind, token in run if kind == "number"]
    if len(numbers) < 2 or len(numbers) < len(run):
        return len(numbers) > 1
    if _are_settings(numbers):
        return False
    return sum(map(len, numbers)) > (MOST_DIGITS if len(numbers) > MOST_COUNTED else MOST_DIGITS_OF_FEW)


def _are_settings(numbers: list[str]) -> bool:
    """Whether they rise in round steps, as b-values and times do (0/50/400/800), and nobody's number does."""
    values = [int(one) for one in numbers]
    round_ones = all(value % ROUND == 0 and str(value) == one for value, one in zip(values, numbers, strict=True))
    return round_ones and all(before < after for before, after in pairwise(values))


def _joined(parts: list[str]) -> str:
    """The parts that stay; where one went, a single space."""
    joined, gap = "", False
    for part in parts:
        if not part:
            gap = True
            continue
        if gap and joined and joined[-1] in _SEPARATORS and part in _SEPARATORS:
            continue
        if gap and joined and joined[-1] not in _SEPARATORS and part not in _SEPARATORS:
            joined += " "
        gap = False
        joined += part
    return joined.strip(" ^-_/,;:.")


def _kept(tokens: list[tuple[str, str]], place: int, forbidden: Callable[[str], bool], more: Collection[str]) -> str:
    kind, part = tokens[place]
    if kind == B_VALUES:
        return part
    if kind == "other":
        return part if part in _MARKS else " "
    if kind == "han":
        return _known_chinese(part, forbidden)
    low = part.casefold()
    if low not in _DENIES and (part in _NAMES_TOO or forbidden(low)):
        return ""
    if kind == "number":
        return part if _is_setting(tokens, place) else ""
    return part if low in words() or low in more or _is_label(low, more, forbidden) else ""


def _known_chinese(run: str, forbidden: Callable[[str], bool]) -> str:
    """The longest known words, one after the other."""
    known, kept, at = chinese(), "", 0
    while at < len(run):
        for length in range(min(8, len(run) - at), 0, -1):
            word = run[at : at + length]
            if word in known and not forbidden(word):
                kept += word
                at += length
                break
        else:
            at += 1
    return kept


def _is_setting(tokens: list[tuple[str, str]], place: int) -> bool:
    """Whether a number is one of a protocol: short, a decimal, or beside a unit; no great age."""
    token = tokens[place][1]
    if _is_great_age(tokens, place):
        return False
    if token.isdecimal() and len(token) <= 2:
        return True
    if re.fullmatch(r"\d{1,3}[.,]\d{1,3}", token):
        return True
    if not re.fullmatch(r"\d{3,4}", token):
        return False
    after = tokens[place + 1 : place + 3]
    if (after and after[0][1] == "%") or _is_concentration(tokens, place):
        return True
    beside = [*after[:1], *tokens[max(0, place - 1) : place]]
    if after and after[0][1] in " _-":
        beside += after[1:]
    if place >= 2 and tokens[place - 1][1] in " _-=":
        beside.append(tokens[place - 2])
    units = {word.casefold() for kind, word in beside if kind == "word"} & UNITS
    return bool(units - {"b"} if b_values.is_year(int(token)) else units)


def _is_concentration(tokens: list[tuple[str, str]], place: int) -> bool:
    """Whether a number is how much iodine is in the agent named before it."""
    if tokens[place][1] not in _IODINE_MG_PER_ML:
        return False
    before = [token.casefold() for _, token in tokens[max(0, place - 2) : place]]
    if before and before[-1] in " _-":
        before.pop()
    return bool(before) and before[-1] in iodinated()


def _is_great_age(tokens: list[tuple[str, str]], place: int) -> bool:
    """Whether a number tells the age of somebody older than ages are told."""
    whole = re.split(r"\D", tokens[place][1], maxsplit=1)[0]
    after = [word.casefold() for kind, word in tokens[place + 1 : place + 3] if kind != "other"]
    return int(whole) > OLDEST_TOLD_YEARS and bool(after) and (after[0] in YEARS or after[0].startswith("岁"))


def _is_device_label(kind: str, token: str, forbidden: Callable[[str], bool]) -> bool:
    """Whether a token is a version, a model, a mark too short for a name, or an attribute: VB33D, 5.7.1.2, OM."""
    if kind not in ("number", "word") or forbidden(token.casefold()) or not token.isascii():
        return False
    if kind == "number":
        return _VERSION.fullmatch(token) is not None and _DAY.fullmatch(token) is None
    letters = [run for run in _RUNS.findall(token) if not run.isdecimal()]
    if letters == [token]:
        return len(token) <= MOST_MARK or tag_for_keyword(token) is not None
    if any(forbidden(run.casefold()) for run in letters):
        return False
    if not all(len(run) <= MOST_SERIES for run in letters):
        return _is_model(token.casefold())
    return len(token) <= MOST_LABEL and not _LONG.search(token)


def _is_model(low: str) -> bool:
    """Whether a token is a name of devices and its number: Biograph128."""
    found = _MODEL.fullmatch(low)
    return found is not None and found[1] in device_words()


def _is_label(low: str, more: Collection[str], forbidden: Callable[[str], bool]) -> bool:
    """Whether letters and digits together are a label of technique: T2W, b1000, 5mm, B30f, L5."""
    if not low.isascii():
        return False
    runs = _RUNS.findall(low)
    letters = [run for run in runs if not run.isdecimal()]
    digits = [run for run in runs if run.isdecimal()]
    if not digits or not letters or len(digits) > 3:
        return False
    if not all(run in words() or (run in more and not forbidden(run)) for run in letters):
        return False
    if "b" in letters and any(b_values.is_year(int(run)) for run in digits):
        return False
    roomy = all(run in NUMBERED or run in UNITS for run in letters)
    return all(len(run) <= (4 if roomy else 2) for run in digits)
