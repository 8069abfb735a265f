"""What can go wrong while exams are assessed, beside what the floors below say."""

from __future__ import annotations

from bingcheng.core.errors import Owner, Problem

WORKER_LOST = Problem(
    code="engine.worker-lost",
    says="the process that assessed this exam ended without an answer",
    remedy="Most often memory ran out: run again with --workers 1, or give the machine more memory.",
    owner=Owner.OPERATOR,
)
UNEXPECTED = Problem(
    code="engine.unexpected",
    says="assessing this exam stopped with an unexpected {error} in {where}",
    remedy="Report it to the developers with the code and the place; nothing of the exam was stored.",
    owner=Owner.DEVELOPER,
)
FILES_WENT = Problem(
    code="engine.files-went",
    says="{count} files of this exam went away while it was assessed",
    remedy="Assess it again when its files are in their place; what was stored of it before is unchanged.",
    owner=Owner.OPERATOR,
)
MASK_WITHOUT_IMAGE = Problem(
    code="engine.mask-without-image",
    says="the mask lies on the grid of no series that was given",
    remedy="Give the DICOM series on which the mask was drawn in the same folder, or draw it again on that series.",
    owner=Owner.RADIOLOGIST,
)
MASK_AMBIGUOUS = Problem(
    code="engine.mask-ambiguous",
    says="the mask fits {count} exams equally well, so that it is not known whose it is",
    remedy="Put the mask into the folder of the exam on which it was drawn.",
    owner=Owner.OPERATOR,
)
NO_LESION = Problem(
    code="engine.no-lesion",
    says="no lesion is marked in this exam, so no tumour was measured",
    remedy="Send a segmentation (DICOM SEG, RTSTRUCT or NIfTI mask) of the lesions together with the images.",
    owner=Owner.RADIOLOGIST,
)
NO_IMAGE = Problem(
    code="engine.no-image",
    says="this exam holds no slices of CT, MR or PET to assess; it holds: {held}",
    remedy="Send the exam's image series from the archive; if it has none, nothing is lost.",
    owner=Owner.ARCHIVE,
)
ONLY_LOCALISERS = Problem(
    code="engine.only-localisers",
    says="this exam's images are localisers, reprojections such as a MIP, or screenshots, which can't be measured",
    remedy="Send the reconstructed slices of the scan from the archive.",
    owner=Owner.ARCHIVE,
)
NOTHING_FOUND = Problem(
    code="engine.nothing-found",
    says="no exam was found: {found}",
    remedy="Name the folder, zip or DICOMDIR that holds the exam's DICOM files (CT, MR or PET). Pictures, reports and "
    "tables are not enough: export the exam from the archive as DICOM.",
    owner=Owner.OPERATOR,
)
NO_SUCH_PATH = Problem(
    code="engine.no-such-path",
    says="there is no file or folder '{path}'",
    remedy="Check the spelling, or drag the folder into the terminal window to insert its name.",
    owner=Owner.OPERATOR,
)
NO_SUCH_EXAM = Problem(
    code="engine.no-such-exam",
    says="the workspace holds no exam '{exam}'; the nearest are {near}",
    remedy="Use a label from the list that `bingcheng show` prints without a name.",
    owner=Owner.OPERATOR,
)
CANNOT_WRITE = Problem(
    code="engine.cannot-write",
    says="{what} can't be written ({error})",
    remedy="Free space or ask for write permission on the workspace folder, then run the same command again.",
    owner=Owner.OPERATOR,
)
PROTOCOL_TAKEN = Problem(
    code="engine.protocol-taken",
    says="two protocols have the identifier '{protocol}'",
    remedy="Give your own protocol an identifier that `bingcheng protocols` does not list.",
    owner=Owner.PHYSICIST,
)
AGREEMENT_UNREADABLE = Problem(
    code="engine.agreement-unreadable",
    says="a protocol of the hospital's own that this workspace is judged by can't be read by this release",
    remedy="Name the protocol's file again with --own-protocol.",
    owner=Owner.PHYSICIST,
)
