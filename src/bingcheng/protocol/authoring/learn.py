"""A draft of a protocol, learnt from exams that somebody calls good.

Each cluster of series (`clusters`) becomes a role, each quantity on which its series agree (`statistics`) a criterion.
Nothing is made up: a quantity that is scattered, or known in too few exams, is listed as a comment with what was seen.
At the end the draft judges the exams it came from, and what any of them does not meet is taken out again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from pydantic import TypeAdapter, ValidationError

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.finding import Level, Outcome, Trust
from bingcheng.core.wording import text
from bingcheng.dicom.acquisition import Device
from bingcheng.protocol.attributes import Attribute, attributes
from bingcheng.protocol.authoring.clusters import LEFT_OUT, THICKNESS, Cluster, GoodExam, Member, clusters
from bingcheng.protocol.authoring.learnable import learnable
from bingcheng.protocol.authoring.remarks import (
    Say,
    head,
    not_met,
    of_criterion,
    of_scattered,
    plainly,
    ready,
    scanner_names,
)
from bingcheng.protocol.authoring.statistics import Agreement, Scattered, Seen, agreement
from bingcheng.protocol.authoring.writing import Comments, criterion_lines, written
from bingcheng.protocol.conformance import applicable, judge
from bingcheng.protocol.model import (
    FORMAT,
    Criterion,
    Identifier,
    IfUnknown,
    Predicate,
    Protocol,
    Role,
    Scope,
    Sentence,
    Source,
)
from bingcheng.protocol.values import Value, as_text, listed

NOTHING_TO_LEARN = Problem(
    code="protocol.nothing-to-learn",
    says="of {count} exams no kind of {modality} series is in {least} or more",
    remedy="Give more exams of one kind, or another modality (--modality).",
    owner=Owner.PHYSICIST,
)
NOTHING_AGREED = Problem(
    code="protocol.nothing-agreed",
    says="these {count} exams agree on nothing that could be asked for",
    remedy="Give exams of one kind, or of one scanner (--device).",
    owner=Owner.PHYSICIST,
)
UNFIT_NAME = Problem(
    code="protocol.unfit-name",
    says="a protocol can't be called '{name}'",
    remedy="Identifiers hold letters, digits, points and hyphens; titles have three letters or more, and no braces.",
    owner=Owner.PHYSICIST,
)
LEAST = 3
"""Fewer exams than this have no spread to speak of."""
KNOWN_IN = 0.8
"""A quantity that fewer of the exams know would be unknown too often to ask for."""
SOURCE = "EXAMS"
LONGEST = 64
"""Longest identifier that a workspace stores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A learnt protocol with what is said beside it, and of how many exams and scanners it speaks."""

    protocol: Protocol
    comments: Comments
    exams: int
    scanners: int

    @property
    def text(self) -> str:
        """The draft as a protocol file."""
        return written(self.protocol, self.comments)


@dataclass(slots=True)
class _Made:
    """What was made so far; `say` speaks the author's language, `scanners` are the names of the devices."""

    say: Say
    scanners: Mapping[Device, str]
    least: int
    roles: list[Role] = field(default_factory=list)
    criteria: list[Criterion] = field(default_factory=list)
    on_roles: dict[str, list[str]] = field(default_factory=dict)
    on_criteria: dict[str, list[str]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def learn(
    exams: Sequence[GoodExam],
    *,
    modality: str,
    on: date,
    key: str | None = None,
    title: str | None = None,
    least: int = LEAST,
    say: Say = str,
) -> Draft:
    """The draft that `exams` amount to; each of them meets all of it.

    Criteria are recommended and unverified: they never stop an exam before somebody has set their level and trust.

    Parameters
    ----------
    exams : good ones, as somebody says.
    modality : of the series to learn from.
    on : day of the draft.
    key, title : of the protocol, made from modality and day unless given.
    least : of how many exams a series or a value must be known.
    say : puts the sentences of the draft into words, in the language of who will read it.

    Raises
    ------
    InputError
        ``protocol.nothing-to-learn``, ``protocol.nothing-agreed``, ``protocol.unfit-name``.
    """
    _check_names(key, title)
    found = clusters(exams, modality, least=max(least, 1))
    if not found:
        raise InputError(NOTHING_TO_LEARN, count=len(exams), modality=modality, least=least)
    of_modality = [exam for exam in exams if any(a.modality == modality for a in exam.acquisitions)]
    devices = dict.fromkeys(a.device for exam in of_modality for a in exam.acquisitions if a.modality == modality)
    made = _Made(say=say, scanners=scanner_names(devices, say), least=least)
    for cluster, name in zip(found, _role_names(found), strict=True):
        _add_role(made, cluster, name, everywhere=len(cluster.exams) == len(of_modality))
        _add_criteria(made, cluster, name)
    # Whoever has the series that most exams have is judged; the clusters begin with it.
    made.roles[0] = made.roles[0].model_copy(update={"decisive": True})
    if not made.criteria:
        raise InputError(NOTHING_AGREED, count=len(of_modality))
    scanners = sorted(set(made.scanners.values()))
    drafted = Protocol(
        format=FORMAT,
        id=key or f"learnt_{modality.lower()}_{on:%Y%m%d}",
        title=title or plainly(say(text("Draft learnt from {count} exams", count=len(of_modality)))),
        version=on.isoformat(),
        modality=modality,
        intent=say(text("What good exams of this department have in common, as a draft to agree on.")),
        by_default=True,
        sources={SOURCE: _source(len(of_modality), len(scanners), on, say)},
        roles=tuple(made.roles),
        criteria=tuple(made.criteria),
    )
    protocol = _met_by_all(drafted, exams, made)
    comments = Comments(
        head=head(len(of_modality), scanners, on.isoformat(), say),
        roles=made.on_roles,
        criteria=made.on_criteria,
        end=made.left_out
        and [say(text("What these exams do not agree on, so that it is not asked for:")), *made.left_out],
    )
    return Draft(protocol=protocol, comments=comments, exams=len(of_modality), scanners=len(scanners))


def _check_names(key: str | None, title: str | None) -> None:
    """Refuse names that a protocol file may not hold, before anything is made of them."""
    for name, kind in ((key, Identifier), (title, Sentence)):
        try:
            TypeAdapter[str](kind).validate_python(name if name is not None else "unnamed")
        except ValidationError as error:
            raise InputError(UNFIT_NAME, name=name or "") from error


def _source(exams: int, scanners: int, on: date, say: Say) -> Source:
    told = text(
        "Learnt on {day} from {exams} exams (scanners: {scanners})", exams=exams, scanners=scanners, day=on.isoformat()
    )
    return Source(citation=say(told), read="exams", locator=say(text("medians and spreads: comments of the file")))


# Roles


def _role_names(found: Sequence[Cluster]) -> list[str]:
    """A short name for each cluster, from what its series show; numbered where two would be the same."""
    raw = [_words_of(cluster) for cluster in found]
    repeated, seen = Counter(raw), Counter[str]()
    names = []
    for name in raw:
        seen[name] += 1
        names.append(f"{name}_{seen[name]}" if repeated[name] > 1 else name)
    return names


def _words_of(cluster: Cluster) -> str:
    flags = {
        "derived.fat_suppressed": "fs",
        "derived.after_contrast": "post",
        "derived.is_dynamic": "dynamic",
        "derived.attenuation_ct": "ac",
    }
    words = [str(v) for v in cluster.facts.values() if isinstance(v, str) and v != "image"]
    words += [str(v[0]) for v in cluster.facts.values() if isinstance(v, tuple)]
    words += [flags[k] for k, v in cluster.facts.items() if v is True and k in flags]
    if cluster.facts.get("derived.attenuation_corrected") is False:
        words.append("uncorrected")
    words += ["thin"] * (cluster.thinner_than_mm is not None) + ["thick"] * (cluster.thicker_than_mm is not None)
    plain = "_".join(words) or cluster.modality
    return "".join(char if char.isascii() and char.isalnum() else "_" for char in plain)[:32].strip("_")


def _title(cluster: Cluster, say: Say) -> str:
    """What people call such a series, from the words of its facts."""
    parts = [text("series of {modality}", modality=cluster.modality)]
    for key, value in cluster.facts.items():
        attribute = attributes()[key]
        if value is True:
            parts.append(attribute.label)
        elif value is not False and value != "image":
            parts.append(as_text(value, words=attribute.words))
    if cluster.thinner_than_mm is not None:
        parts.append(text("slices below {thickness} mm", thickness=cluster.thinner_than_mm))
    if cluster.thicker_than_mm is not None:
        parts.append(text("slices above {thickness} mm", thickness=cluster.thicker_than_mm))
    return plainly(say(listed(parts)))


def _add_role(made: _Made, cluster: Cluster, name: str, *, everywhere: bool) -> None:
    made.roles.append(
        Role(
            id=name,
            title=_title(cluster, made.say),
            modality=cluster.modality,
            level=Level.RECOMMENDED if everywhere else Level.OPTIONAL,
            select=tuple(_select(cluster)),
            source=(SOURCE,),
            trust=Trust.UNVERIFIED,
            remedy=made.say(
                text("Acquire this series as in the good exams, or say in the protocol that it may be absent.")
            ),
        )
    )
    per_scanner = Counter(made.scanners[member.acquisition.device] for member in cluster.members)
    counted = [text("{value} ({count})", value=scanner, count=n) for scanner, n in sorted(per_scanner.items())]
    said = text(
        "in {exams} exams, {series} series: {scanners}",
        exams=len(cluster.exams),
        series=len(cluster.members),
        scanners=listed(counted),
    )
    made.on_roles[name] = [made.say(said)]


def _select(cluster: Cluster) -> Iterator[Predicate]:
    """The demands by which the series of a cluster are recognised; whoever is not known to meet them is another."""
    for key, unwanted in LEFT_OUT.items():
        if not attributes()[key].modalities or cluster.modality in attributes()[key].modalities:
            yield Predicate(attribute=key, operator="==", value=not unwanted, if_unknown=IfUnknown.ACCEPT)
    for key, value in cluster.facts.items():
        operator = "in" if isinstance(value, tuple) else "=="
        yield Predicate(attribute=key, operator=operator, value=value, if_unknown=IfUnknown.REJECT)
    for operator, limit_mm in (("<", cluster.thinner_than_mm), (">", cluster.thicker_than_mm)):
        if limit_mm is not None:
            yield Predicate(
                attribute=THICKNESS, operator=operator, value=limit_mm, unit="mm", if_unknown=IfUnknown.REJECT
            )


# Criteria


def _add_criteria(made: _Made, cluster: Cluster, role: str) -> None:
    for attribute in learnable(cluster.modality):
        seen = _seen(attribute, cluster, made.scanners)
        if not seen:
            continue
        found: Agreement | Scattered = agreement(attribute, seen, least=made.least)
        if len(seen) < KNOWN_IN * len(cluster.exams):
            found = Scattered(why=text("known in {known} of {count} exams", known=len(seen), count=len(cluster.exams)))
        if isinstance(found, Scattered):
            if not any(one.value for one in seen):
                continue  # what no exam has is nothing that they disagree on
            made.left_out += of_scattered(attribute, role, seen, found, made.say)
            if found.usual is not None:
                low, high = found.usual
                fixed = low == high
                usual = Agreement(operator="==" if fixed else "between", value=low if fixed else found.usual)
                lines = criterion_lines(_criterion(attribute, role, usual, made.say))
                made.left_out += ready(lines, found, len(seen), made.say)
            continue
        criterion = _criterion(attribute, role, found, made.say)
        made.criteria.append(criterion)
        made.on_criteria[criterion.id] = of_criterion(attribute, seen, made.say)


def _seen(attribute: Attribute, cluster: Cluster, scanners: Mapping[Device, str]) -> list[Seen]:
    """One value an exam, where it is known: the one that most of its series of this cluster have."""
    by_exam: dict[int, list[tuple[Value, Member]]] = defaultdict(list)
    for member in cluster.members:
        value = member.value(attribute.key)
        if value is not None and value != ():
            by_exam[member.exam].append((value, member))
    found = []
    for mine in by_exam.values():
        usual = Counter(str(value) for value, _ in mine).most_common(1)[0][0]
        value, member = next((value, member) for value, member in mine if str(value) == usual)
        device = member.acquisition.device
        found.append(Seen(value=value, device=scanners[device], vendor=device.vendor))
    return found


def _criterion(attribute: Attribute, role: str, found: Agreement, say: Say) -> Criterion:
    label = plainly(say(attribute.label))
    return Criterion(
        id=f"{role}.{attribute.key.removeprefix('derived.')}"[:LONGEST],
        # A title has three letters at least, which Chinese words need not have.
        title=f"{label[:1].upper()}{label[1:]}" if len(label) > 2 else f"{label} ({attribute.key})",
        scope=Scope.SERIES,
        roles=(role,),
        attribute=attribute.key,
        operator=found.operator,
        value=found.value,
        by_vendor=found.by_vendor,
        unit=attribute.unit if attribute.kind.numeric and attribute.unit != "1" else None,
        level=Level.RECOMMENDED,
        source=(SOURCE,),
        trust=Trust.UNVERIFIED,
        remedy=plainly(
            say(text("Set it as in the good exams ({what}), or agree on another limit.", what=attribute.label))
        ),
        owner=Owner.TECHNOLOGIST,
    )


def _met_by_all(draft: Protocol, exams: Sequence[GoodExam], made: _Made) -> Protocol:
    """The draft without what any of the exams does not meet; the facts of one series may stand in another's way."""
    while True:
        failing = {
            finding.criterion
            for exam in exams
            if applicable(draft, exam.acquisitions)
            for finding in judge(draft, exam.acquisitions, supplied=exam.supplied)
            if finding.outcome is Outcome.FAIL
        }
        roles = tuple(
            role.model_copy(update={"level": Level.OPTIONAL}) if f"role.{role.id}" in failing else role
            for role in draft.roles
        )
        kept = tuple(one for one in draft.criteria if one.id not in failing)
        if len(kept) == len(draft.criteria) and roles == draft.roles:
            return draft
        for one in draft.criteria:
            if one.id in failing:
                made.left_out.append(not_met(one, made.say))
        draft = draft.model_copy(update={"roles": roles, "criteria": kept})
