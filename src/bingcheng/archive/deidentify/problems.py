"""What can be wrong with objects, profiles and keys when identities are taken out."""

from __future__ import annotations

from bingcheng.core.errors import Owner, Problem

NOT_DICOM = Problem(
    code="archive.deidentify-not-dicom",
    says="it can't be read as a DICOM object",
    remedy="Leave it out, or export it from the archive again.",
    owner=Owner.ARCHIVE,
)
BROKEN = Problem(
    code="archive.deidentify-broken",
    says="the header is damaged or cut off, so not every attribute can be looked at",
    remedy="Export it from the archive again.",
    owner=Owner.ARCHIVE,
)
UNKNOWN_SYNTAX = Problem(
    code="archive.deidentify-unknown-syntax",
    says="it is written in a way that isn't known here, so what else stands in it can't be looked at",
    remedy="Ask the archive for it uncompressed, or leave it out.",
    owner=Owner.ARCHIVE,
)
NO_CLASS = Problem(
    code="archive.deidentify-no-class",
    says="it doesn't say what kind of object it is, or has no UID of its own",
    remedy="Export it from the archive again.",
    owner=Owner.ARCHIVE,
)
NO_SUCH_PROFILE = Problem(
    code="archive.no-such-profile",
    says="there is no de-identification profile '{name}'; there are {known}",
    remedy="Name one of these, or the file of a profile.",
    owner=Owner.OPERATOR,
)
BAD_PROFILE = Problem(
    code="archive.bad-profile",
    says="the profile, rules or decisions can't be used: {fault}",
    remedy="Mend the file; the documentation shows each field.",
    owner=Owner.OPERATOR,
)
BAD_KEY = Problem(
    code="archive.bad-key",
    says="the key doesn't open this key table",
    remedy="Give the passphrase or key file with which the table was made.",
    owner=Owner.OPERATOR,
)
WEAK_KEY = Problem(
    code="archive.weak-key",
    says="the key is too short: it needs at least {least} characters",
    remedy="Choose a longer passphrase, or let the program make a key file.",
    owner=Owner.OPERATOR,
)
NO_KEY_FILE = Problem(
    code="archive.no-key-file",
    says="the key file can't be read or made ({error})",
    remedy="Name a file in a folder that exists and that you may write to.",
    owner=Owner.OPERATOR,
)
NO_TABLE_FILE = Problem(
    code="archive.no-key-table-file",
    says="the file of the key table can't be opened or written",
    remedy="Look whether it is a key table, whether its folder exists and has room, and whether another run uses it.",
    owner=Owner.OPERATOR,
)
DAMAGED_KEY_TABLE = Problem(
    code="archive.damaged-key-table",
    says="an entry of the key table was changed or damaged",
    remedy="Restore the key table from its backup.",
    owner=Owner.OPERATOR,
)
LEAK = Problem(
    code="archive.deidentify-leak",
    says="the second pass still found something of the original in the result ({kinds}, {count} places)",
    remedy="Nothing was written. Remove the attribute that holds it by a profile of your own, or leave the object out.",
    owner=Owner.OPERATOR,
)
PIXELS_NEED_A_PERSON = Problem(
    code="archive.pixels-need-a-person",
    says="text may be burned into the picture, so a person must look at it",
    remedy="Look at the picture, mark what is to be blanked, and confirm it.",
    owner=Owner.RADIOLOGIST,
)
FACE_NEEDS_A_PERSON = Problem(
    code="archive.face-needs-a-person",
    says="a face may be reconstructed from this series, and the profile forbids that",
    remedy="Leave the series out, deface it before, or let a person allow it.",
    owner=Owner.RADIOLOGIST,
)
PIXELS_NOT_BLANKED = Problem(
    code="archive.pixels-not-blanked",
    says="the picture can't be decoded to blank the text in it",
    remedy="Ask the archive for the images uncompressed, or leave the object out.",
    owner=Owner.ARCHIVE,
)
PIXELS_NOT_READ = Problem(
    code="archive.pixels-not-read",
    says="the compressed picture is damaged, so what else stands in it can't be looked at",
    remedy="Ask the archive for the images uncompressed, or leave the object out.",
    owner=Owner.ARCHIVE,
)
NO_OCR = Problem(
    code="archive.no-ocr",
    says="the reader of burned-in text is not installed",
    remedy="Install it with `pip install bingcheng[ocr]`; without it a person marks the text alone.",
    owner=Owner.OPERATOR,
)
UNSAFE_KIND = Problem(
    code="archive.deidentify-unsafe-kind",
    says="objects of this kind hold a whole document or film, which can't be cleaned",
    remedy="Leave it out.",
    owner=Owner.OPERATOR,
)
TEXT_IN_TABLE = Problem(
    code="archive.deidentify-text-in-table",
    says="text runs through a table of colours or grey values by which the picture is drawn",
    remedy="Ask the archive for the picture without such a table, or leave it out.",
    owner=Owner.ARCHIVE,
)
