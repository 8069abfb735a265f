"""The viewer's settings, which it reads as a script (``app-config.js``): where images are, and what it may do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from bingcheng.server.viewer.adaptation import BASE, KEEPER, MODES

SOURCE = "bingcheng"
LANGUAGES: Mapping[str, str] = {"en": "en-US", "zh": "zh"}
"""What the viewer calls the languages that Bingcheng speaks."""
DICOMWEB = "/dicomweb"
CONTEXTS = 3
"""How many drawing contexts are kept where there is a graphics processor; each serves several panes in turn."""
LARGEST_CACHE_BYTES = 3 * 2**30
SCRIPTS = (
    "room",
    "begin",
    "access",
    "images",
    "reports",
    "outlines",
    "corners",
    "stacks",
    "saving",
    "program",
    "extension",
)
"""What the viewer does here beyond its own, in the folder ``scripts``: ``begin`` before it starts, ``extension`` when a
study is opened; the others are its parts."""


def app_config(
    language: str,
    *,
    back: str,
    not_kept: str = "",
    not_shown: tuple[str, str] = ("", ""),
    dicomweb: str = DICOMWEB,
    sign_in: str = "/login?next=",
) -> str:
    """The script with the viewer's settings.

    Parameters
    ----------
    language : ``en`` or ``zh``.
    back : what the link back to Bingcheng says.
    not_kept : what is said where something that was drawn can't be saved, and the server does not say why.
    not_shown : that an image can't be shown, and why that may be.
    dicomweb : where images are, on this site.
    sign_in : address to which the present one is added when somebody is signed out.
    """
    settings = {
        **_SETTINGS,
        "dataSources": [_data_source(dicomweb)],
        "bingcheng": {
            "language": LANGUAGES.get(language, LANGUAGES["en"]),
            "back": back,
            "home": "/",
            "signIn": sign_in,
            "exams": f"{BASE}exams/",
            "keeper": f"{BASE}{KEEPER}",
            "notKept": not_kept,
            "notShown": not_shown[0],
            "whyNotShown": not_shown[1],
            "contexts": CONTEXTS,
            "modes": dict(MODES),
        },
    }
    said = json.dumps(settings, ensure_ascii=False, indent=1)
    return f'"use strict";\n\nwindow.config = {said};\n\n{_behaviour()}'


@cache
def _behaviour() -> str:
    """`SCRIPTS` as one, whose names are its own; they speak of ``config`` and of our part of it, ``own``."""
    folder = files("bingcheng.server.viewer").joinpath("scripts")
    parts = "\n".join(folder.joinpath(f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    return f"((config, own) => {{\n{parts}}})(window.config, window.config.bingcheng);\n"


_SETTINGS: Mapping[str, object] = {
    "name": "bingcheng",
    "routerBasename": BASE.rstrip("/"),
    "extensions": [],
    "modes": [],
    "customizationService": {"global": {"ohif.tours": {"$set": []}}},  # no guided tour over the image
    "showStudyList": False,  # people come from Bingcheng's own worklist
    "maxNumberOfWebWorkers": 3,
    "showWarningMessageForCrossOrigin": False,
    "showCPUFallbackMessage": True,
    "showLoadingIndicator": True,
    "strictZSpacingForVolumeViewport": True,
    "allowMultiSelectExport": False,
    "disableConfirmationPrompts": True,  # our segments and measurements open without a question
    "measurementTrackingMode": "simplified",  # what is drawn counts, without a question for each series
    "maxCacheSize": LARGEST_CACHE_BYTES,
    "maxNumRequests": {"interaction": 100, "thumbnail": 5, "prefetch": 6},  # HTTP/1.1: six connections a host
    "showErrorDetails": "dev",
    "investigationalUseDialog": {"option": "never"},  # said beside the name, where it hides nothing
    "defaultDataSourceName": SOURCE,
}


def _data_source(root: str) -> dict[str, object]:
    return {
        "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
        "sourceName": SOURCE,
        "configuration": {
            "friendlyName": "Bingcheng",
            "name": SOURCE,
            "qidoRoot": root,
            "wadoRoot": root,
            "wadoUriRoot": root,
            "qidoSupportsIncludeField": True,
            "imageRendering": "wadors",
            "thumbnailRendering": "thumbnail",
            "thumbnailRequestStrategy": "fetch",
            "enableStudyLazyLoad": True,
            "supportsFuzzyMatching": False,
            "supportsWildcard": True,
            "supportsReject": False,
            "supportsStow": True,
            # What is outlined here is a segmentation of single bits, which every reader of segmentations knows; the
            # viewer's own choice is a label map, which few do.
            "segmentation": {"store": {"defaultMode": "bitmap", "transferSyntaxUID": "1.2.840.10008.1.2.1"}},
            "omitQuotationForMultipartRequest": True,
            "singlepart": "bulkdata",
            "bulkDataURI": {"enabled": True, "relativeResolution": "studies"},
        },
    }
