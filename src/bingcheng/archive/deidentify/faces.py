"""Whether a face could be reconstructed from the images of a series.

No defacing is built in: the tools that exist need FSL, FreeSurfer, ANTs or AFNI beside them, fetch the weights of a
network, or were made for T1-weighted MR only. Such series are flagged, and profiles with ``no-faces``, as all that ship
have it, let none through without a person.
"""

from __future__ import annotations

import re
from enum import StrEnum

from bingcheng.archive.deidentify.charset import DEFAULT, decoded, encodings
from bingcheng.archive.deidentify.elements import Object
from bingcheng.archive.deidentify.subject import CHARSET, SOP_CLASS

_BODY_PART, _MODALITY = 0x00180015, 0x00080060
_TEXTS = (_BODY_PART, 0x0008103E, 0x00081030, 0x00181030, 0x00081032)
_FACE = re.compile(
    r"head|brain|skull|face|facial|neck|orbit|eye|sinus|nasal|naso|pharyn|oral|mouth|tongue|jaw|maxill|mandib|dent|teeth|"
    r"ear\b|iac|temporal|parotid|pituitar|sella|cereb|cranio|crani|whole.?body|wholebody|\bwb|\bhn\b|skull.?base|"
    r"头|颅|脑|面|鼻|咽|喉|口腔|眼|耳|垂体|鞍区|腮腺|颈|全身",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"chest|thora|lung|abdom|pelvi|liver|hepat|pancrea|kidney|renal|adrenal|prostat|bladder|uter|ovar|cervix|rect|colon|"
    r"breast|mamm|heart|cardiac|coronary|lumbar|l.?spine|t.?spine|knee|hip|ankle|foot|hand|wrist|elbow|shoulder|femur|"
    r"thigh|leg|arm\b|extremit|phantom|胸|肺|纵隔|腹|盆|肝|胆|胰|脾|肾|膀胱|前列腺|子宫|宫颈|卵巢|直肠|结肠|乳腺|心|冠状动脉|"
    r"腰|膝|髋|踝|足|手|腕|肘|肩|四肢",
    re.IGNORECASE,
)
SECTIONAL = frozenset(("CT", "MR", "PT"))
SECTIONAL_CLASSES = frozenset(
    f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("2", "2.1", "2.2", "4", "4.1", "4.3", "4.4", "128", "128.1", "130")
)
"""CT, MR and PET, whatever modality their headers claim."""


class Face(StrEnum):
    """What is known about a face in a series."""

    NO = "no"
    POSSIBLE = "possible"
    UNKNOWN = "unknown"


def face(found: Object) -> Face:
    """Whether the head may lie in the field of view of a sectional image, by body part and descriptions.

    Where they name a place below the neck and none of the head, there is no face; where they name nothing, nobody
    knows.
    """
    if found.words(_MODALITY) not in SECTIONAL and found.words(SOP_CLASS) not in SECTIONAL_CLASSES:
        return Face.NO
    stated = found.first(CHARSET)
    known = encodings(stated.value) if stated else DEFAULT
    said = [decoded(one.value, known, "LO") for tag in _TEXTS if (one := found.first(tag)) is not None]
    if any(_FACE.search(words.replace("_", " ")) for words in said):
        return Face.POSSIBLE
    return Face.NO if any(_ELSEWHERE.search(words.replace("_", " ")) for words in said) else Face.UNKNOWN
