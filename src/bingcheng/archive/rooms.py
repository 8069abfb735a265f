"""The tables of every room of the archive, so that a workspace is made with all of them.

Each room declares its own in a module ``tables`` against the one `metadata`; what is not named here is not made.
"""

from __future__ import annotations

from bingcheng.archive import assumed_issuer as _assumed_issuer  # noqa: F401 - importing it declares its table
from bingcheng.archive import exam_owner as _exam_owner  # noqa: F401 - importing it declares its table
from bingcheng.archive import listing as _listing  # noqa: F401 - importing it declares its table
from bingcheng.archive import schema
from bingcheng.archive import waiting_links as _waiting_links  # noqa: F401 - importing it declares its table
from bingcheng.archive.audit import tables as _audit  # noqa: F401 - importing it declares its tables
from bingcheng.archive.cases import tables as _cases  # noqa: F401 - importing it declares its tables
from bingcheng.archive.deidentify import tables as _deidentify  # noqa: F401 - importing it declares its tables
from bingcheng.archive.dicomweb import tables as _dicomweb  # noqa: F401 - importing it declares its table
from bingcheng.archive.dimse import tables as _dimse  # noqa: F401 - importing it declares its tables
from bingcheng.archive.jobs import tables as _jobs  # noqa: F401 - importing it declares its tables
from bingcheng.archive.objects import tables as _objects  # noqa: F401 - importing it declares its tables
from bingcheng.archive.pairing import tables as _pairing  # noqa: F401 - importing it declares its tables
from bingcheng.archive.people import tables as _people  # noqa: F401 - importing it declares its tables

metadata = schema.metadata
