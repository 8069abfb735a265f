"""Signed answers, each bound to the request that it answers."""

from __future__ import annotations

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping

from fastapi import Request
from starlette.responses import Response

from bingcheng.archive.pairing.message import DIGEST, answer_parts, content_digest, signed
from bingcheng.server.pairing.signed import Caller, own_key
from bingcheng.server.site import site_of

DOCUMENT_SIGNATURE = "bingcheng-document-signature"
"""The field with the signature of a document (a manifest, numbers) that is kept with it."""


def answer(request: Request, caller: Caller, body: bytes, *, kind: str = "application/json", **more: str) -> Response:
    """The answer 200 with this body.

    Parameters
    ----------
    more : further fields, with low lines for hyphens.
    """
    digest = content_digest(body)
    covered = answer_parts(200, digest, caller.signature)
    headers = {DIGEST: digest, **signed(own_key(request), covered, site_of(request).now())}
    headers.update({name.replace("_", "-"): value for name, value in more.items()})
    return Response(body, media_type=kind, headers=headers)


def told(request: Request, caller: Caller, said: Mapping[str, object]) -> Response:
    """The answer 200 with these values as JSON."""
    return answer(request, caller, json.dumps(said, sort_keys=True).encode())


def document(request: Request, caller: Caller, written: bytes, signature: bytes) -> Response:
    """The answer 200 with a signed document."""
    return answer(request, caller, written, bingcheng_document_signature=b64encode(signature).decode("ascii"))


def document_signature(fields: Mapping[str, str]) -> bytes:
    """The signature of the document that a message brings; empty if it can't be read."""
    try:
        return b64decode(fields.get(DOCUMENT_SIGNATURE, ""), validate=True)
    except (binascii.Error, ValueError):
        return b""
