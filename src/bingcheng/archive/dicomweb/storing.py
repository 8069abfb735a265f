"""Objects out of the parts of a body, into the store (PS3.18 10.5)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bingcheng.archive.dicomweb.incoming import IncomingPart
from bingcheng.archive.dicomweb.media_types import DICOM, DICOM_JSON, DICOM_XML, JSON, media_type
from bingcheng.archive.dicomweb.metadata_objects import MetadataObjects
from bingcheng.archive.dicomweb.problems import OTHER_STUDY, UNSUPPORTED_BODY
from bingcheng.archive.dicomweb.store_answer import Refused, StoreAnswer
from bingcheng.archive.objects.header import header
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.received import Origin, Received
from bingcheng.archive.objects.writer import Beside
from bingcheng.core.errors import BingchengError, InputError, RemoteError


@dataclass(slots=True, eq=False)
class Storing:
    """One Store transaction: takes parts as they come, from several threads at once.

    Parameters
    ----------
    space : where the objects go.
    study_uid : the only study that is taken; None for any.
    metadata : whether the parts are metadata with bulk data beside them, which is only made into objects at the end.
    """

    objects: Objects
    space: str
    origin: Origin
    answer: StoreAnswer
    study_uid: str | None = None
    metadata: bool = False
    _described: MetadataObjects = field(default_factory=MetadataObjects)

    def take(self, part: IncomingPart, beside: Beside | None = None) -> None:
        """Store one part, or keep it until all are there.

        Parameters
        ----------
        beside : writes what belongs to the object, see `Objects.receive`; not called for one that is kept.
        """
        if self.metadata:
            self._keep(part)
            return
        try:
            self.answer.add(self._stored(part, beside))
        finally:
            part.close()

    def finish(self) -> None:
        """Make and store what only can be with all parts there."""
        if not self.metadata:
            return
        with self._closed():
            for made in self._described.objects():
                self.answer.add(made if isinstance(made, Refused) else self._received(memoryview(made)))

    def abandon(self) -> None:
        """Give back what was kept for later."""
        self._described.close()

    @contextmanager
    def _closed(self) -> Iterator[None]:
        try:
            yield
        finally:
            self._described.close()

    def _keep(self, part: IncomingPart) -> None:
        try:
            self._described.take(part)
        except InputError as error:
            part.close()
            self.answer.add(Refused.by(error))

    def _stored(self, part: IncomingPart, beside: Beside | None) -> Received | Refused:
        try:
            _check_kind(part)
        except InputError as error:
            return Refused.by(error)
        with part.content() as data:
            return self._received(data, beside)

    def _received(self, data: memoryview, beside: Beside | None = None) -> Received | Refused:
        try:
            if self.study_uid is not None and header(data).study_uid != self.study_uid:
                raise InputError(OTHER_STUDY)  # noqa: TRY301 - answered like what the store itself refuses
            return self.objects.receive(data, space=self.space, origin=self.origin, beside=beside)
        except (InputError, RemoteError) as error:
            return Refused.by(error, *_uids(data))


def _check_kind(part: IncomingPart) -> None:
    kind = media_type(part.fields.get("content-type", DICOM)).kind
    if kind != DICOM or "content-encoding" in part.fields:
        raise InputError(UNSUPPORTED_BODY)


def _uids(data: memoryview) -> tuple[str | None, str | None]:
    """Class and UID of an object that was refused, as far as they can be believed."""
    try:
        found = header(data)
    except BingchengError:
        return None, None
    return found.sop_class_uid, found.sop_uid


def holds_metadata(kind: str) -> bool:
    """Whether parts of this type are metadata with bulk data beside it."""
    return kind in (DICOM_JSON, JSON, DICOM_XML)
