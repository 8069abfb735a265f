"""All routes of DICOMweb; those that a viewer asks for most come first."""

from __future__ import annotations

from bingcheng.server.dicomweb import frames, rendered, retrieve, search, store
from bingcheng.server.dicomweb import remove as _remove
from bingcheng.server.dicomweb.routes import router

MODULES = (frames, rendered, retrieve, search, store, _remove)
"""Importing them declares their routes."""

__all__ = ["MODULES", "router"]
