"""Who reads what: the spaces that an actor may read, and objects out of them alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any

from fastapi import Depends, Request

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.spaces import readable_spaces
from bingcheng.archive.dicomweb.media_types import MediaType, accepted
from bingcheng.archive.dicomweb.pixel_map import PixelMap, PixelMaps
from bingcheng.archive.dicomweb.problems import BAD_QUERY, BAD_UID, NOT_HERE
from bingcheng.archive.objects.instance import Instance
from bingcheng.archive.objects.objects import Objects
from bingcheng.core.errors import InputError
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import saw_space
from bingcheng.server.site import Site, site_of

PREFIX = "/dicomweb"
_FORWARDED = frozenset(("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"))
"""Header fields of proxies, which may listen on another port than this server."""
UID = re.compile(r"[0-9.]{1,64}")
_CHARSETS = frozenset(("utf-8", "iso_ir 192"))
"""Names of the character set in which everything is told."""


@dataclass(slots=True, eq=False)
class Reader:
    """Reads on behalf of an actor; what the actor may not see is as if it were not there.

    Parameters
    ----------
    root : address of the service, without a slash at its end.
    maps : where the pixels lie in files that were read lately.
    study_uid : the one study that is asked for; None if it may be any. What was opened in an emergency is found by it.
    """

    request: Request
    site: Site
    actor: Actor
    root: str
    maps: PixelMaps
    study_uid: str | None = None
    _spaces: tuple[str, ...] | None = field(default=None)

    @property
    def objects(self) -> Objects:
        """The store."""
        return self.site.objects

    @property
    def spaces(self) -> tuple[str, ...]:
        """What may be read, in the order in which it is looked through."""
        if self._spaces is None:
            self._spaces = self.spaces_with(self.study_uid)
        return self._spaces

    def spaces_with(self, study_uid: str | None) -> tuple[str, ...]:
        """What may be read if this one study is asked for."""
        with self.site.workspace.reading() as connection:
            now = self.site.now()
            return readable_spaces(connection, self.actor, Action.READ_EXAM, study_uid=study_uid, now=now)

    @property
    def accepted(self) -> tuple[MediaType, ...]:
        """The media types that the client accepts.

        Raises
        ------
        InputError
            ``archive.bad-accept``.
        """
        header = ", ".join(self.request.headers.getlist("accept"))
        return accepted(header or None, self.request.query_params.get("accept"))

    def instance(self, study_uid: str, series_uid: str, sop_uid: str) -> Instance:
        """One instance.

        Raises
        ------
        InputError
            ``archive.not-here``.
        """
        found = self.objects.instance(self.spaces, study_uid, series_uid, sop_uid) if self.spaces else None
        if found is None:
            raise InputError(NOT_HERE)
        saw_space(self.request, found.space)
        return found

    def instances(self, study_uid: str, series_uid: str | None = None, sop_uid: str | None = None) -> list[Instance]:
        """The instances of a study, of a series, or one; never none.

        Raises
        ------
        InputError
            ``archive.not-here``.
        """
        if series_uid is not None and sop_uid is not None:
            return [self.instance(study_uid, series_uid, sop_uid)]
        found = self.objects.instances_of(self.spaces, study_uid, series_uid) if self.spaces else []
        if not found:
            raise InputError(NOT_HERE)
        saw_space(self.request, found[0].space)
        return found

    def pixels(self, instance: Instance) -> PixelMap:
        """Where the pixels of an instance lie.

        Raises
        ------
        InputError
            ``archive.no-pixel-data``, ``archive.no-picture``, ``archive.no-frame-bounds``.
        """
        return self.maps.of(instance.location, lambda: self.objects.open_bytes(instance))

    def url(self, study_uid: str, series_uid: str | None = None, sop_uid: str | None = None) -> str:
        """The address of a study, a series or an instance."""
        parts = (("studies", study_uid), ("series", series_uid), ("instances", sop_uid))
        return self.root + "".join(f"/{name}/{uid}" for name, uid in parts if uid is not None)


def root_of(request: Request) -> str:
    """The address of the service: as the settings say that people reach it, or as the client wrote it."""
    public = site_of(request).settings.public_url
    return (public or _as_written(request)) + PREFIX


def _as_written(request: Request) -> str:
    scope, headers = request.scope, request.headers
    # Some clients (dicomweb-client) leave the port out of Host; it is the one that they have reached.
    server = tuple(scope.get("server") or ())
    reached = server[1] if server and not _FORWARDED.intersection(headers.keys()) else None
    place = str(scope.get("app_root_path", scope.get("root_path", "")))
    return _address(scope["scheme"], headers.get("host"), server, place, reached)


@lru_cache(maxsize=64)
def _address(scheme: str, host: str | None, server: tuple[Any, ...], place: str, port: int | None) -> str:
    """The same for all requests of a client: to put it together takes as long as to open a file.

    Parameters
    ----------
    port : to be named where `host` names none, and the scheme has another.
    """
    said = [] if host is None else [(b"host", host.encode("latin-1"))]
    about = {"type": "http", "scheme": scheme, "server": server or None, "root_path": place, "headers": said}
    base = Request(about).base_url
    if base.port is None and port not in (None, 80, 443):
        base = base.replace(port=port)
    return str(base).rstrip("/")


async def reader(
    request: Request,
    actor: Annotated[Actor, allowed(Action.READ_EXAM, Action.READ_CASE, emergency=True)],
) -> Reader:
    """The reader of a request; no UID in the address is used before it is known to look like one.

    Raises
    ------
    InputError
        ``archive.bad-uid``, ``archive.bad-query``.
    """
    check_uids(request)
    check_charset(request)
    return Reader(
        request=request,
        site=site_of(request),
        actor=actor,
        root=root_of(request),
        maps=maps_of(request),
        study_uid=request.path_params.get("study_uid"),
    )


def maps_of(request: Request) -> PixelMaps:
    """The maps that an application keeps; one for each."""
    state = request.app.state
    if not hasattr(state, "dicomweb_maps"):
        state.dicomweb_maps = PixelMaps()
    found: PixelMaps = state.dicomweb_maps
    return found


def check_uids(request: Request) -> None:
    """Refuse an address in which a UID can't be one.

    Raises
    ------
    InputError
        ``archive.bad-uid``.
    """
    uids: Sequence[str] = [value for name, value in request.path_params.items() if name.endswith("_uid")]
    if not all(UID.fullmatch(uid) for uid in uids):
        raise InputError(BAD_UID)


def check_charset(request: Request) -> None:
    """Refuse a request that wants its answer in other characters than Unicode (PS3.18 8.3.3.2).

    Raises
    ------
    InputError
        ``archive.bad-query``.
    """
    wanted = request.query_params.get("charset")
    if wanted is None:
        return
    names = {one.partition(";")[0].strip().strip('"').casefold() for one in wanted.split(",")}
    if names.isdisjoint(_CHARSETS):
        raise InputError(BAD_QUERY, parameter="charset")


Reading = Annotated[Reader, Depends(reader)]
