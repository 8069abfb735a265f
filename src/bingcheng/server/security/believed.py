"""Who was recognised a moment ago. A viewer asks for hundreds of pictures a second: not each needs a query."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from bingcheng.archive.people.proof import Proof

BELIEVED_FOR = timedelta(seconds=5)
"""How long a change that another process makes may go unnoticed; changes made here take effect at once."""
MOST = 4096


@dataclass(slots=True, eq=False)
class Believed:
    """Proofs by the digest of the session or token. Used from several threads."""

    _proofs: OrderedDict[str, tuple[Proof, datetime]] = field(default_factory=OrderedDict)
    _generation: int = 0
    _lock: Lock = field(default_factory=Lock)

    def get(self, digest: str, now: datetime) -> Proof | None:
        """The proof of a digest, if it was seen a moment ago and still holds."""
        found = self._proofs.get(digest)
        if found is None or found[1] <= now or found[0].holds_until <= now:
            return None
        return found[0]

    @property
    def generation(self) -> int:
        """Changes when everything is forgotten; note it before a query and give it to `keep`."""
        return self._generation

    def keep(self, proof: Proof, generation: int, now: datetime) -> None:
        """Believe `proof` for a moment, unless people were changed since `generation`."""
        with self._lock:
            if generation == self._generation:
                self._proofs[proof.digest] = (proof, now + BELIEVED_FOR)
                while len(self._proofs) > MOST:
                    self._proofs.popitem(last=False)

    def forget(self) -> None:
        """Ask the database about everybody again: people, rights or sessions were changed."""
        with self._lock:
            self._generation += 1
            self._proofs.clear()
