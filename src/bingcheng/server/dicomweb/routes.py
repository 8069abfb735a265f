"""The one router on which the modules of DICOMweb declare their routes.

It is flat: each request is compared with the routes one after the other, and a viewer asks for hundreds of frames.
"""

from __future__ import annotations

from fastapi import APIRouter, Response

from bingcheng.server.dicomweb.problem_answers import DicomWebRoute
from bingcheng.server.dicomweb.reading import PREFIX

router = APIRouter(prefix=PREFIX, route_class=DicomWebRoute, default_response_class=Response, tags=["DICOMweb"])
