"""A second reader of burned-in text: finds words in a picture and where they are. Needs the extra ``ocr``.

It proposes, it never decides: of faint text it reads half. Its models lie in the package of the reader; nothing is
fetched from anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.archive.deidentify.devices import Region
from bingcheng.archive.deidentify.problems import NO_OCR
from bingcheng.core.errors import InputError

MODELS = {
    "Det": "PP-OCRv6_det_small.onnx",
    "Rec": "PP-OCRv6_rec_small.onnx",
    "Cls": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
}
MARGIN_PX = 2
LEAST_SIDE_PX = 800
"""Smaller pictures are enlarged: letters of ten pixels are read only then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnedText:
    """Words that were read in a picture.

    Parameters
    ----------
    words : may be a patient's name: they are shown to whoever may see the patient, and stored nowhere.
    confidence : 0 to 1.
    """

    words: str
    region: Region
    confidence: float


def read_text(picture: NDArray[np.uint8]) -> tuple[BurnedText, ...]:
    """The text in a picture.

    Parameters
    ----------
    picture : (rows, columns) or (rows, columns, 3), eight bits.

    Raises
    ------
    InputError
        ``archive.no-ocr``.
    """
    reader = _reader()
    factor = max(1, -(-LEAST_SIDE_PX // max(picture.shape[:2])))
    coloured = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    large = coloured.repeat(factor, axis=0).repeat(factor, axis=1)
    answer = reader(np.ascontiguousarray(large[..., ::-1]), use_cls=False)
    if answer.boxes is None or answer.txts is None:
        return ()
    return tuple(
        BurnedText(words=str(words), region=_region(np.asarray(corners) / factor), confidence=float(score))
        for corners, words, score in zip(answer.boxes, answer.txts, answer.scores, strict=True)
        if str(words).strip()
    )


def _region(corners: NDArray[np.float64]) -> Region:
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int) - MARGIN_PX, 0)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int) + MARGIN_PX
    return Region(x=int(left), y=int(top), width=int(right - left), height=int(bottom - top))


@cache
def _reader() -> Any:
    try:
        import rapidocr  # noqa: PLC0415 - an extra, and heavy
    except ImportError as error:
        raise InputError(NO_OCR) from error
    folder = Path(rapidocr.__file__).parent / "models"
    # Without a file the reader would fetch it; a hospital's machine asks nobody.
    if not all((folder / name).is_file() for name in MODELS.values()):
        raise InputError(NO_OCR)
    settings: dict[str, Any] = {f"{part}.model_path": str(folder / name) for part, name in MODELS.items()}
    settings |= {"Global.log_level": "critical", "EngineConfig.onnxruntime.intra_op_num_threads": 1}
    return rapidocr.RapidOCR(params=settings)
