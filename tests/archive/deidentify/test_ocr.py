"""The second reader of burned-in text, which asks nobody on any network."""

from __future__ import annotations

import socket

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from bingcheng.archive.deidentify.ocr import read_text


@pytest.mark.slow
def test_text_is_read_with_its_place_and_nothing_is_fetched(monkeypatch):
    pytest.importorskip("rapidocr")

    def refuse(*_arguments, **_more):
        raise AssertionError("the reader asked for something on the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    picture = Image.fromarray(np.random.default_rng(0).integers(20, 70, (300, 400)).astype(np.uint8))
    ImageDraw.Draw(picture).text((30, 200), "MEYER 7730921", fill=255, font=ImageFont.load_default(size=16))
    (found,) = read_text(np.asarray(picture))
    assert "7730921" in found.words
    assert found.confidence > 0.8
    assert found.region.y <= 204
    assert found.region.y + found.region.height >= 212
    assert found.region.x <= 32
    assert read_text(np.zeros((64, 64), np.uint8)) == ()
