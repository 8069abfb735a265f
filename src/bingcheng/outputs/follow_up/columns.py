"""The table of links of lesions between exams: its columns, and how an assessment becomes its rows."""

from __future__ import annotations

from collections.abc import Iterator

from bingcheng.core.wording import Text, text
from bingcheng.outputs.assessment import Assessment
from bingcheng.outputs.follow_up.words import reasons
from bingcheng.outputs.table import PATIENT, Kind, Row, Table, column

BETWEEN = " + "


def _rows(assessment: Assessment) -> Iterator[Row]:
    for matched in assessment.follow_up:
        for view in matched.links:
            link = view.link
            yield (
                matched.patient,
                matched.earlier,
                matched.later,
                matched.modality or None,
                link.kind.value,
                BETWEEN.join(link.before) or None,
                BETWEEN.join(view.before) or None,
                BETWEEN.join(link.after) or None,
                BETWEEN.join(view.after) or None,
                link.confidence,
                link.needs_reader,
                link.edited,
                view.by or None,
                _joined(reasons(view)),
            )


def _joined(sentences: tuple[Text, ...]) -> Text | None:
    if not sentences:
        return None
    joined = sentences[0]
    for sentence in sentences[1:]:
        joined = text("{first} {second}", first=joined, second=sentence)
    return joined


LESION_LINKS = Table(
    name="lesion_links",
    description="Which lesion of one exam is which of another, where their images or a person said so",
    columns=(
        PATIENT,
        column("exam_before", Kind.TEXT, "Label of the earlier exam"),
        column("exam_after", Kind.TEXT, "Label of the later exam"),
        column("modality", Kind.TEXT, "DICOM modality in which they were matched; empty for what only a person said"),
        column("kind", Kind.TEXT, "same, split, merged, rearranged, new, vanished, or outside one of the exams"),
        column("lesions_before", Kind.TEXT, "Names of the lesions in the earlier exam, with + between them"),
        column("labels_before", Kind.TEXT, "The same as shown"),
        column("lesions_after", Kind.TEXT, "Names of the lesions in the later exam, with + between them"),
        column("labels_after", Kind.TEXT, "The same as shown"),
        column("confidence", Kind.NUMBER, "0 to 1; 1 where identifiers or a person said so", "1"),
        column("needs_reader", Kind.FLAG, "Whether a person has to look at it before anything is concluded"),
        column("decided", Kind.FLAG, "Whether a person decided it"),
        column("decided_by", Kind.TEXT, "Who decided it"),
        column("reasons", Kind.TEXT, "Why"),
    ),
    rows=_rows,
)
