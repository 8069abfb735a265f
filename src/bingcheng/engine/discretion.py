"""Keeping patients out of free text: descriptions, labels and paths that hospitals write may hold a name or a number.

What an exam's own header says of the patient is looked for in the other texts of the exam before anything is stored, so
that no table but the identity table, and no output, has it. Text that is burned into pixels is beyond this.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import permutations

from bingcheng.archive.records import ExamRecord, LesionRecord, SeriesRecord
from bingcheng.compare.dose_record import DoseRecord
from bingcheng.core.refusal import Refusal
from bingcheng.core.wording import Fact, Text
from bingcheng.dicom.exam import Exam

HIDDEN = "***"
LONG = 4
"""From this length on a word betrays wherever it stands, even inside another; shorter ones only by themselves."""
NUMBER_LETTERS = 3
"""The least letters of a number that means a person; a patient called "1" can't be told from any other 1."""
LABEL_LEFT = re.compile(r"[^\W_]")


@dataclass(frozen=True, slots=True)
class Discretion:
    """Finds what betrays certain people in texts; `pattern` is None if nothing of them is known."""

    pattern: re.Pattern[str] | None

    @staticmethod
    def about(exams: Iterable[Exam]) -> Discretion:
        """For the patients of these exams: names, numbers, birth dates, accession numbers."""
        words = sorted({word for exam in exams for word in _words(exam)}, key=lambda word: (-len(word), word))
        if not words:
            return Discretion(None)
        return Discretion(re.compile("|".join(_expression(word) for word in words), re.IGNORECASE))

    def betrays(self, words: str) -> bool:
        """Whether `words` hold something of a patient."""
        return self.pattern is not None and bool(words) and self.pattern.search(_plain(words)) is not None

    def without(self, words: str) -> str:
        """`words`, or nothing if they betray: beside a name there may stand more of a person."""
        return "" if self.betrays(words) else words

    def label(self, words: str) -> str:
        """A lesion's label without what betrays, so that lesions can still be told apart."""
        if not self.betrays(words):
            return words
        assert self.pattern is not None
        left = " ".join(self.pattern.sub(" ", _plain(words)).split()).strip(" -_.,;:^")
        return left if LABEL_LEFT.search(left) else "lesion"

    def path(self, subject: str) -> str:
        """A path in which the folders and names that betray are hidden."""
        return "/".join(HIDDEN if self.betrays(part) else part for part in subject.split("/"))

    def sentence(self, said: Text) -> Text:
        """A sentence in which the facts that betray are hidden."""
        if not any(self._hides(fact) for fact in said.facts.values()):
            return said
        return Text(said.template, {name: self._fact(fact) for name, fact in said.facts.items()})

    def refusal(self, refusal: Refusal) -> Refusal:
        """A refusal without what betrays."""
        return replace(
            refusal,
            subject=self.path(refusal.subject),
            reason=self.sentence(refusal.reason),
            remedy=self.sentence(refusal.remedy),
        )

    def record(self, record: ExamRecord) -> ExamRecord:
        """The record of an exam without what betrays, apart from its `patient`."""
        if self.pattern is None:
            return record
        return replace(
            record,
            description=self.without(record.description),
            series=tuple(self._series(series) for series in record.series),
            refusals=tuple(self.refusal(refusal) for refusal in record.refusals),
            doses=tuple(self._dose(dose) for dose in record.doses),
        )

    def _dose(self, dose: DoseRecord) -> DoseRecord:
        """The dose without what a report's own words betray; the rest of it are numbers and codes."""
        remarks = (
            replace(one, reason=self.sentence(one.reason), remedy=self.sentence(one.remedy)) for one in dose.remarks
        )
        return replace(dose, remarks=tuple(remarks))

    def _series(self, series: SeriesRecord) -> SeriesRecord:
        facts = series.acquisition
        return replace(
            series,
            acquisition=replace(
                facts,
                series_description=self.without(facts.series_description or "") or None,
                protocol_name=self.without(facts.protocol_name or "") or None,
                contradictions=tuple((code, self.path(found)) for code, found in facts.contradictions),
            ),
            lesions=tuple(self._lesion(lesion) for lesion in series.lesions),
        )

    def _lesion(self, lesion: LesionRecord) -> LesionRecord:
        name, label, method = self.label(lesion.lesion), self.label(lesion.label), self.without(lesion.method)
        if (name, label, method) == (lesion.lesion, lesion.label, lesion.method):
            return lesion
        return replace(lesion, lesion=name, label=label, method=method)

    def _hides(self, fact: Fact | Text) -> bool:
        if isinstance(fact, Text):
            return any(self._hides(inner) for inner in fact.facts.values())
        return isinstance(fact, str) and self.betrays(fact)

    def _fact(self, fact: Fact | Text) -> Fact | Text:
        if isinstance(fact, Text):
            return self.sentence(fact)
        return HIDDEN if isinstance(fact, str) and self.betrays(fact) else fact


def _words(exam: Exam) -> Iterator[str]:
    patient = exam.patient
    for number in (patient.patient_id, exam.accession_number or ""):
        whole = _plain(number).strip()
        for word in (whole, whole.lstrip("0") if whole.isdecimal() else whole):
            if len(word) >= NUMBER_LETTERS:
                yield word
    birth = re.sub(r"\D", "", patient.birth_date or "")
    if len(birth) == 8:  # YYYYMMDD (PS3.5 6.2, DA), also as people write it
        yield birth
        yield from (f"{birth[:4]}{sign}{birth[4:6]}{sign}{birth[6:]}" for sign in "-./")
    for name in _plain(patient.name or "").split("="):  # alphabetic, ideographic, phonetic (PS3.5 6.2, PN)
        yield from _name_words(name)


def _name_words(name: str) -> Iterator[str]:
    parts = [part for part in re.split(r"[\W_]+", name) if part]
    # Run together in any order: "ZhangSan", "SanZhang", 张三; not two initials, which stand in many words.
    for count in (2, 3):
        for chosen in permutations(parts[:4], count):
            joined = "".join(chosen)
            if len(joined) >= LONG or not joined.isascii():
                yield joined
    # One letter is an initial, one Chinese character a family name that stands in many words.
    yield from (part for part in parts if len(part) > 1)


def _expression(word: str) -> str:
    # A Chinese sentence puts nothing between its words, so that there no border can be asked for.
    if len(word) >= LONG or not word.isascii():
        return re.escape(word)
    return rf"(?<![^\W_]){re.escape(word)}(?![^\W_])"


def _plain(words: str) -> str:
    """Letters without accents, full-width ones as ordinary ones."""
    if words.isascii():
        return words
    return "".join(c for c in unicodedata.normalize("NFKD", words) if unicodedata.category(c) != "Mn")
