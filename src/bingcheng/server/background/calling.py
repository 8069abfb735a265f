"""How this installation calls DICOM peers: its title, and what it shows and believes over TLS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bingcheng.archive.dimse.calling import Caller
from bingcheng.archive.dimse.tls import caller
from bingcheng.server.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Calling:
    """What is needed to call a peer, in a form that can be told to another process.

    Parameters
    ----------
    ae_title : our own.
    certificate, key : PEM files that are shown to a peer over TLS; None for none.
    trusted : PEM file of the authorities that sign the peers' certificates; None for those of this machine.
    """

    ae_title: str = "BINGCHENG"
    certificate: Path | None = None
    key: Path | None = None
    trusted: Path | None = None

    @staticmethod
    def from_settings(settings: Settings) -> Calling:
        """As the settings say."""
        return Calling(
            ae_title=settings.dicom_ae_title,
            certificate=settings.dicom_tls_certificate,
            key=settings.dicom_tls_key,
            trusted=settings.dicom_tls_trusted,
        )

    def caller(self, *, patience_s: float = 60.0) -> Caller:
        """What calls peers.

        Parameters
        ----------
        patience_s : how long a peer may take to answer.

        Raises
        ------
        InputError
            ``archive.wrong-certificate``.
        """
        tls = None if self.trusted is None else caller(self.trusted, self.certificate, self.key)
        return Caller(ae_title=self.ae_title, tls=tls, idle_s=patience_s, connect_s=min(patience_s, 10.0))

    def plain(self) -> dict[str, str | None]:
        """For JSON."""
        return {name: None if value is None else str(value) for name, value in asdict(self).items()}

    @staticmethod
    def of(told: Mapping[str, str | None]) -> Calling:
        """What `plain` wrote."""
        certificate, key, trusted = (
            None if word is None else Path(word) for word in (told["certificate"], told["key"], told["trusted"])
        )
        return Calling(ae_title=told["ae_title"] or "", certificate=certificate, key=key, trusted=trusted)
