"""How much of this machine callers may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what callers may take.

    Parameters
    ----------
    associations : at once, of all peers; more are told that a local limit is exceeded.
    associations_of_peer : at once, of one peer, so that none takes all.
    waiting : connections that have not asked for an association yet; the oldest of them goes when one more comes.
    request_s : how long a connection may take to ask for one (the ARTIM timer of PS3.8 9.1.5).
    idle_s : how long an association may be silent, or may refuse to take what we send.
    unit_s : how long one protocol data unit may take to come, at most 128 KiB for one that keeps to what we announce.
    object_bytes : of the largest object that is taken; one of more than twice as many ends its association.
    """

    associations: int = 64
    associations_of_peer: int = 32
    waiting: int = 256
    request_s: float = 10.0
    idle_s: float = 60.0
    unit_s: float = 60.0
    object_bytes: int = 4 << 30
