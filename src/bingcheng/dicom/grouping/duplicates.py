"""Instances that claim one SOP Instance UID: copies are dropped, contradictions refused, versions of masks kept.

A UID must never be given to other content (PS3.5 section 9); exports that correct a header and keep the UID break that
rule, and so do archives that hand out what they received twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.core.wording import text
from bingcheng.dicom.exam import FrameSource
from bingcheng.dicom.grouping.contents import Content, content, differences, digest
from bingcheng.dicom.grouping.sop_classes import IMAGE_CLASSES, MASK_CLASSES
from bingcheng.dicom.index.headers import Header

DUPLICATE_UID = Problem(
    code="dicom.duplicate-uid",
    says="{count} files claim the same SOPInstanceUID but differ in {what}, so that none is used: {one} and {other}",
    remedy="Find out which one is right and remove the others.",
    owner=Owner.ARCHIVE,
)
COPY = Problem(
    code="dicom.copy",
    says="the file is a copy of another one that was given too; it is used once",
    remedy="Nothing needs to be done.",
    owner=Owner.OPERATOR,
)
NAMED = 5
"""How many differences a refusal names at most."""


def without_duplicates(headers: Iterable[Header]) -> tuple[list[Header], list[Refusal]]:
    """The headers with each SOP instance once; a refusal a series for its contradictions, and one for its copies.

    Of contradicting objects none is kept; of contradicting slices one a series, whose `defect` keeps it from being
    used. Versions of a segmentation or structure set are all kept, since they may contradict each other about one
    region only (see `bingcheng.dicom.masks.versions`), and so are objects of one study that name two patients, for
    whose sake the exam as a whole is refused.
    """
    claims: dict[str, list[Header]] = {}
    for header in headers:
        claims.setdefault(header.sop_instance_uid or "", []).append(header)
    sorting = _Sorting()
    for claimants in claims.values():
        if len(claimants) == 1:
            sorting.kept.append(claimants[0])
        else:
            sorting.sort(claimants)
    return sorting.kept, [*sorting.contradictions.values(), *sorting.copies.values()]


@dataclass(slots=True)
class _Sorting:
    """What is kept of the claimants seen so far, and why not the rest."""

    kept: list[Header] = field(default_factory=list)
    contradictions: dict[tuple[str | None, str], Refusal] = field(default_factory=dict)
    copies: dict[str | None, Refusal] = field(default_factory=dict)

    def sort(self, claimants: Sequence[Header]) -> None:
        # A copy that was cut off is refused by itself, and takes nothing from one that is whole.
        claimants = [header for header in claimants if header.defect is None] or claimants
        alike: dict[bytes | None, list[Header]] = {}
        for header in claimants:
            alike.setdefault(digest(header), []).append(header)
        if len(alike) == 1 and None not in alike:
            self._keep(claimants)
            return
        contents = [content(members[0]) for members in alike.values()]
        readable = [each for each in contents if each is not None]
        if None in alike or len(readable) < len(contents):
            self._contradict(claimants, ())
            return
        self._sort_versions(claimants, list(_versions(readable)), list(alike.values()))

    def _sort_versions(
        self, claimants: Sequence[Header], versions: Sequence[Sequence[Content]], alike: Iterable[Sequence[Header]]
    ) -> None:
        what = _contradictions(versions)
        of_one_patient = "PatientID" not in what or "StudyInstanceUID" in what
        if of_one_patient and what and not (_are_masks(claimants) and _PLACES.isdisjoint(what)):
            self._contradict(claimants, what)
            return
        copies = {id(members[0]): members for members in alike}
        for version in versions:
            # The others have lost something on their way.
            ordered = sorted(version, key=lambda each: -len(each.values))
            self._keep([header for each in ordered for header in copies[id(each.header)]])

    def _keep(self, copies: Sequence[Header]) -> None:
        """The first of some copies."""
        first = copies[0]
        self.kept.append(first)
        for each in copies[1:]:
            known = self.copies.get(first.series.series_uid)
            noted = known or _refusal(InputError(COPY), each)
            self.copies[first.series.series_uid] = replace(noted, count=1 + (known.count if known else 0))

    def _contradict(self, claimants: Sequence[Header], what: Sequence[str]) -> None:
        said = ", ".join(what[:NAMED]) or text("a part that can't be read")
        one, other = told_apart(claimants[0].source, claimants[-1].source)
        error = InputError(DUPLICATE_UID, count=len(claimants), what=said, one=one, other=other)
        for header in {header.series.series_uid: header for header in reversed(claimants)}.values():
            refusal = _refusal(error, header)
            if header.series.sop_class_uid in IMAGE_CLASSES:
                # The slot stays, as unusable: without it a volume would look complete.
                self.kept.append(replace(header, defect=refusal))
            key = (header.series.series_uid, str(said))
            known = self.contradictions.get(key)
            self.contradictions[key] = refusal if known is None else replace(known, count=known.count + 1)


def told_apart(one: FrameSource, other: FrameSource) -> tuple[str, str]:
    """Two files by as much of the ends of their paths as differs: the folders above may tell of persons."""
    paths = [_path(source).split("/") for source in (one, other)]
    for length in range(1, max(map(len, paths)) + 1):
        ends = ["/".join(path[-length:]) for path in paths]
        if ends[0] != ends[1]:
            break
    return ends[0], ends[1]


def _path(source: FrameSource) -> str:
    path = source.path.as_posix()
    return path if source.member is None else f"{path}/{source.member}"


_PLACES = frozenset(("StudyInstanceUID", "SeriesInstanceUID"))


def _versions(contents: Iterable[Content]) -> Iterator[list[Content]]:
    """The files in sets of copies of each other."""
    left = list(contents)
    while left:
        same = [each for each in left if not differences(left[0], each)]
        yield same
        left = [each for each in left if each not in same]


def _contradictions(versions: Sequence[Sequence[Content]]) -> tuple[str, ...]:
    found = {what for version in versions[1:] for what in differences(versions[0][0], version[0])}
    return tuple(sorted(found))


def _are_masks(headers: Iterable[Header]) -> bool:
    return all(header.series.sop_class_uid in MASK_CLASSES for header in headers)


def _refusal(error: InputError, header: Header) -> Refusal:
    return Refusal.of(
        error,
        kind=SubjectKind.FILE,
        subject=header.subject,
        study_uid=header.series.study_uid,
        series_uid=header.series.series_uid,
    )
