"""What a DICOMweb request can ask wrongly, or ask for in vain."""

from __future__ import annotations

from bingcheng.core.errors import Owner, Problem

BAD_ACCEPT = Problem(
    code="archive.bad-accept",
    says="the media types that the request accepts can't be read",
    remedy='Write them as in PS3.18 8.7.5, for example multipart/related; type="application/dicom".',
    owner=Owner.DEVELOPER,
)
NOT_ACCEPTABLE = Problem(
    code="archive.not-acceptable",
    says="none of the accepted media types can be given; there are: {offered}",
    remedy="Accept one of them.",
    owner=Owner.DEVELOPER,
)
BAD_QUERY = Problem(
    code="archive.bad-query",
    says="the query parameter '{parameter}' can't be used here",
    remedy="See the list of attributes and parameters in the conformance statement.",
    owner=Owner.DEVELOPER,
)
BAD_UID = Problem(
    code="archive.bad-uid",
    says="the address holds a UID that can't be one",
    remedy="A UID has up to 64 digits and dots (PS3.5 9.1).",
    owner=Owner.DEVELOPER,
)
NOT_HERE = Problem(
    code="archive.not-here",
    says="there is no such object, or it isn't yours to see",
    remedy="Search for it first.",
    owner=Owner.RADIOLOGIST,
)
BAD_FRAMES = Problem(
    code="archive.bad-frames",
    says="the list of frames can't be read",
    remedy="Write frame numbers from 1, separated by commas.",
    owner=Owner.DEVELOPER,
)
NO_PICTURE = Problem(
    code="archive.no-picture",
    says="the object has no picture to show ({why})",
    remedy="Retrieve the object itself.",
    owner=Owner.RADIOLOGIST,
)
UNDECODABLE = Problem(
    code="archive.undecodable",
    says="the pixels can't be decoded ({syntax})",
    remedy="Retrieve the object as it is stored (transfer-syntax=*).",
    owner=Owner.ARCHIVE,
)
BAD_MULTIPART = Problem(
    code="archive.bad-multipart",
    says="the body is not the multipart message that its header announces ({what})",
    remedy="Send it again; if it fails again, ask who wrote the sender.",
    owner=Owner.DEVELOPER,
)
TOO_LARGE = Problem(
    code="archive.body-too-large",
    says="the body is larger than this installation takes ({what}, at most {limit})",
    remedy="Send fewer objects at once.",
    owner=Owner.ARCHIVE,
)
UNSUPPORTED_BODY = Problem(
    code="archive.unsupported-body",
    says="a body of this kind can't be stored",
    remedy='Send multipart/related; type="application/dicom", compressed with gzip or not at all.',
    owner=Owner.DEVELOPER,
)
SLOW_BODY = Problem(
    code="archive.slow-body",
    says="nothing of the body came for {seconds} s",
    remedy="Send it again.",
    owner=Owner.ARCHIVE,
)
BAD_METADATA = Problem(
    code="archive.bad-metadata",
    says="an object can't be made of the metadata and bulk data ({what})",
    remedy="Send the object as application/dicom.",
    owner=Owner.DEVELOPER,
)
OTHER_STUDY = Problem(
    code="archive.other-study",
    says="the object belongs to another study than the address names",
    remedy="Send it to the address of all studies.",
    owner=Owner.DEVELOPER,
)
