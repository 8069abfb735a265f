"""What was taken out of a file, and why a file can't be cleaned."""

from __future__ import annotations

from enum import StrEnum
from typing import NoReturn

from bingcheng.archive.cases.problems import NOT_CLEANED
from bingcheng.core.errors import InputError
from bingcheng.core.wording import Text


class Taken(StrEnum):
    """One kind of thing that a file carried beside what it shows."""

    CAMERA = "camera"
    """Exif: the device, times, persons; often where a picture was made."""
    PLACE = "place"
    """Where a picture was made (GPS)."""
    DESCRIPTION = "description"
    """XMP, IPTC, the Info dictionary of a PDF: authors, titles, programs, times."""
    WORDS = "words"
    """Comments, and words beside the picture."""
    THUMBNAIL = "thumbnail"
    """A smaller picture, which may show what was cut away."""
    PROFILE = "profile"
    """Names in the colour profile: of a screen, a computer, a firm."""
    FILES = "files"
    """Files within the file."""
    SCRIPTS = "scripts"
    """Programs and actions."""
    LINKS = "links"
    """Links, bookmarks and the like of a PDF."""
    HIDDEN = "hidden"
    """What no reader shows: earlier states, private parts, what stands behind the end."""


def refuse(why: Text) -> NoReturn:
    """Refuse a file that can't be cleaned.

    Raises
    ------
    InputError
        ``archive.attachment-not-cleaned``.
    """
    raise InputError(NOT_CLEANED, why=why)
