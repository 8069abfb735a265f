"""The tables of every room of the archive, so that a workspace is made with all of them.

Each room declares its own in a module ``tables`` against the one `metadata`; what is not named here is not made.
"""

from __future__ import annotations

from bingcheng.archive import schema
from bingcheng.archive.jobs import tables as _jobs  # noqa: F401 - importing it declares its tables

metadata = schema.metadata
