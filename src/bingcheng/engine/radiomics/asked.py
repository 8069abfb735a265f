"""Which radiomics features a run extracts; `remembered` keeps them from run to run."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bingcheng.quantify.radiomics.image_type import ImageType

MODALITIES = ("CT", "MR", "PT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What features to extract.

    Parameters
    ----------
    content : settings as JSON text; None takes those that are usual for each modality.
    threads : for the repetitions of one lesion; no value depends on it.
    """

    content: str | None = None
    threads: int = 1

    @staticmethod
    def by(path: Path | None) -> Asked:
        """The features that a settings file asks for; None asks for the usual ones.

        Raises
        ------
        InputError
            as `settings.read_settings`.
        """
        if path is None:
            return Asked()
        from bingcheng.engine.radiomics import settings as files  # noqa: PLC0415 - loads what most runs don't need

        content = files.content_of(path)
        files.settings_of(content)
        return Asked(content=json.dumps(content, sort_keys=True, default=str))

    def types(self, modality: str) -> tuple[ImageType, ...]:
        """What to extract from an image of a modality."""
        from bingcheng.engine.radiomics.settings import for_modality, settings_of  # noqa: PLC0415 - as above

        return for_modality(modality) if self.content is None else settings_of(json.loads(self.content)).image_types

    @property
    def fingerprint(self) -> str:
        """A digest that changes when any feature of any modality may."""
        from bingcheng.quantify.radiomics import extraction, robustness  # noqa: PLC0415 - as above

        parts = [f"{robustness.SCHEME} {robustness.SEED} {robustness.Repetitions()} {extraction.REVISION}"]
        for modality in MODALITIES:
            parts += [f"{one.name} {one.settings.digest} {_limits(one)}" for one in self.types(modality)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _limits(one: ImageType) -> str:
    standardised = None if one.standardisation is None else sorted(one.standardisation.as_mapping().items())
    return f"{None if one.features is None else sorted(one.features)} {standardised}"
