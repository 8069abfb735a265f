"""The name by which a patient goes outside the identity table: who is one person, and who is another."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b32encode

from bingcheng.archive.codec import storable
from bingcheng.dicom.exam import Patient

PSEUDONYM_LETTERS = 10
"""Fifty bits: among 100,000 patients two share a pseudonym with a probability of 4 in a million."""


def pseudonym(secret: bytes, patient: Patient, site: str, exam_uid: str) -> str:
    """The pseudonym of a patient under the key of a workspace.

    The same number means the same person only under one issuer; without an issuer, only within one hospital.
    Without a number, name and birth date together mean one person; else each exam is a person of its own.
    """
    scope = f"issuer:{patient.issuer}" if patient.issuer else f"site:{_folded(site)}"
    if patient.patient_id.strip():
        whose = ("number", scope, patient.patient_id.strip())
    elif patient.name and patient.birth_date:
        whose = ("person", scope, f"{_folded(patient.name)}/{patient.birth_date}")
    else:
        whose = ("exam", exam_uid, "")
    # As it is stored: what was read back must give the same pseudonym.
    digest = hmac.new(secret, storable("\x1f".join(whose)).encode(), hashlib.sha256).digest()
    return f"P-{b32encode(digest)[:PSEUDONYM_LETTERS].decode('ascii')}"


def _folded(words: str) -> str:
    return " ".join(words.casefold().split())
