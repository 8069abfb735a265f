"""What a learnt draft says beside its data: how many exams, how the numbers lie on each scanner, what was left out.

Everything is said in the language of who asked for the draft; scanners go by vendor and model, never by a number.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from bingcheng.core.units import UNITS
from bingcheng.core.wording import Text, text
from bingcheng.dicom.acquisition import Device
from bingcheng.protocol.attributes import Attribute
from bingcheng.protocol.authoring.statistics import Scattered, Seen, spread
from bingcheng.protocol.model import Criterion
from bingcheng.protocol.values import Value, as_text, listed

Say = Callable[[Text], str]
MOST_WORDS = 6
"""How many different words are counted one by one."""
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def scanner_names(devices: Iterable[Device], say: Say) -> dict[Device, str]:
    """What a file calls each scanner: vendor and model, with a letter where there are several of a model.

    Never a serial number or a station's name: the file goes to other hospitals.
    """
    models: dict[str, dict[tuple[str | None, str | None], list[Device]]] = defaultdict(dict)
    for one in devices:
        model = " ".join(filter(None, (one.vendor, one.model))) or say(text("scanner not recorded"))
        models[plainly(model)].setdefault((one.serial_number, one.station_name), []).append(one)
    named: dict[Device, str] = {}
    for model, each in models.items():
        for n, same in enumerate(each.values()):
            letter = ALPHABET[n] if n < len(ALPHABET) else str(n + 1)
            named |= dict.fromkeys(same, f"{model} {letter}" if len(each) > 1 else model)
    return named


def of_criterion(attribute: Attribute, seen: Sequence[Seen], say: Say) -> list[str]:
    """How the values lie over all exams and on each scanner."""
    lines = [say(text("{count} exams; {spread}", count=len(seen), spread=_lie(attribute, seen)))]
    devices: dict[str, list[Seen]] = defaultdict(list)
    for one in seen:
        devices[one.device].append(one)
    if len(devices) > 1:
        lines += [
            "  "
            + say(text("{scanner} ({count}): {spread}", scanner=name, count=len(mine), spread=_lie(attribute, mine)))
            for name, mine in sorted(devices.items())
        ]
    return lines


def of_scattered(attribute: Attribute, role: str, seen: Sequence[Seen], found: Scattered, say: Say) -> list[str]:
    """Why a quantity is not asked for, and what was seen of it."""
    first, *rest = of_criterion(attribute, seen, say)
    said = text("{role}: {what} ({name}): {why}", role=role, what=attribute.label, name=attribute.key, why=found.why)
    return [f"{say(said)}; {first}", *rest]


def ready(lines: Sequence[str], found: Scattered, count: int, say: Say) -> list[str]:
    """A criterion that only a few exams stand in the way of, to be used without its comment signs."""
    said = text(
        "  {beyond} of {count} exams lie outside the range of the others. If they are not good exams, ask for it:",
        beyond=found.beyond,
        count=count,
    )
    return [say(said), *(f"  {line}" for line in lines)]


def not_met(criterion: Criterion, say: Say) -> str:
    """That a criterion was taken out again, since an exam it came from does not meet it."""
    return say(text("{criterion}: not met by every series of these exams that fills the role", criterion=criterion.id))


def head(count: int, scanners: Iterable[str], day: str, say: Say) -> list[str]:
    """What the author has to do before the draft is a protocol, and how its ranges were made."""
    sentences = (
        text(
            "A draft, learnt from {count} exams on {day}. Read every limit and agree on it before use:",
            count=count,
            day=day,
        ),
        text("set its level and trust, name who says so, and write what to do where it is not met."),
        text("Scanners: {names}.", names=", ".join(scanners)),
        text("MAD is the median absolute deviation. A range is the median with 3 × 1.4826 MAD on both sides,"),
        text("rounded outward; it stands here only where all exams lie in it."),
    )
    return [*(say(sentence) for sentence in sentences), ""]


def plainly(words: str) -> str:
    """`words` without braces, which a protocol's sentences may not hold."""
    return words.replace("{", "(").replace("}", ")")


def _lie(attribute: Attribute, seen: Sequence[Seen]) -> Text:
    found = spread(seen)
    if found is not None and found.low == found.high:
        only = as_text(found.median, unit=attribute.unit)
        return only if found.count == 1 else text("{value} in all", value=only)
    if found is not None:
        return text(
            "median {median}, MAD {mad}, from {low} to {high} {unit}",
            median=found.median,
            mad=found.mad,
            low=found.low,
            high=found.high,
            unit=UNITS[attribute.unit].symbol,
        )
    counted = Counter(_shown(attribute, one.value) for one in seen)
    common = counted.most_common(MOST_WORDS)
    return listed([text("{value} ({count})", value=value, count=count) for value, count in common])


def _shown(attribute: Attribute, value: Value) -> Text:
    return as_text(value, unit=attribute.unit, words=attribute.words)
