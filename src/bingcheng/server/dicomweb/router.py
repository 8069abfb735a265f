"""All routes of DICOMweb."""

from __future__ import annotations

from bingcheng.server.dicomweb import bulk, capabilities, frames, rendered, retrieve, search, store
from bingcheng.server.dicomweb import remove as _remove
from bingcheng.server.dicomweb.routes import router

MODULES = (frames, rendered, retrieve, search, store, bulk, capabilities, _remove)
"""Importing them declares their routes."""

__all__ = ["MODULES", "router"]
