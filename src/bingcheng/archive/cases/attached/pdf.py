"""A PDF of nothing but its pages as they are seen: made anew of what they are drawn with, within bounds."""

from __future__ import annotations

import logging
import time
import zlib

from bingcheng.archive.cases.attached.taken import Taken, refuse
from bingcheng.core.errors import InputError
from bingcheng.core.wording import text

LONGEST_S = 8.0
"""How long one file may take, in seconds of its thread's own time, until nothing more is begun."""


def clean_pdf(content: bytes) -> tuple[bytes, frozenset[Taken]]:
    """The pages alone, and what stayed behind.

    A file whose tables don't lead to its objects is read as if it had none, if each object is there only once.

    Raises
    ------
    InputError
        ``archive.attachment-not-cleaned``.
    """
    # pypdf takes half a second and 60 MB: a server that nobody attaches a PDF to needs neither.
    from pypdf.errors import LimitReachedError  # noqa: PLC0415

    from bingcheng.archive.cases.attached.pdf_file import (  # noqa: PLC0415
        TOO_MUCH,
        limits,
        read_as_told,
        read_without_tables,
    )
    from bingcheng.archive.cases.attached.pdf_pages import pages_alone  # noqa: PLC0415 - stands on pypdf as well

    # Its warnings quote names and strings of the file, which may be a patient's.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL + 1)
    until_s = time.thread_time() + LONGEST_S
    made, why = None, text("it is damaged")
    with limits():
        for read in (read_as_told, read_without_tables):
            try:
                made = pages_alone(read(content, until_s))
                break
            except InputError:
                raise
            except Exception as error:  # noqa: BLE001 - no list is closed of what a damaged file makes a reader raise
                # What zlib can't unpack counts as beyond a limit too, since pypdf is not let guess at it.
                if isinstance(error, LimitReachedError) and not isinstance(error.__cause__, zlib.error):
                    why = TOO_MUCH
                    break
    if made is None:  # refused out here, so that what was raised, which may quote the file, is not told with it
        refuse(why)
    return made
