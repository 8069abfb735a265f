"""Retrieve Capabilities (PS3.18 8.9): what this service offers, as a WADL document (annex H) made of its own routes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from fastapi import Request, Response
from fastapi.routing import APIRoute

from bingcheng.archive.dicomweb.media_types import JSON, Offer, accepted, chosen
from bingcheng.archive.objects.attributes import ATTRIBUTES, Level, can_match
from bingcheng.server.dicomweb.bodies import as_json, by_conditions, etag, validated
from bingcheng.server.dicomweb.problem_answers import documented
from bingcheng.server.dicomweb.reading import PREFIX, root_of
from bingcheng.server.dicomweb.routes import router
from bingcheng.server.security.required import public

WADL = "application/vnd.sun.wadl+xml"
NAMESPACE = "http://wadl.dev.java.net/2009/02"
_ANSWERS = documented(WADL, JSON)
_WHY = "what the service can do, which is no data of anybody"
_SEARCHES = {"/studies": Level.STUDY, "/series": Level.SERIES, "/instances": Level.INSTANCE}
_PAGING = ("fuzzymatching", "includefield", "limit", "offset")
_RENDERING = ("annotation", "quality", "viewport", "window")


@router.options("", responses=_ANSWERS, dependencies=[public(why=_WHY)], include_in_schema=False)
@router.options("/", responses=_ANSWERS, dependencies=[public(why=_WHY)])
def capabilities(request: Request) -> Response:
    """What can be asked of this service, and in which media types."""
    ranges = accepted(", ".join(request.headers.getlist("accept")) or None, request.query_params.get("accept"))
    offer = chosen(ranges, (Offer(kind=WADL), Offer(kind=JSON)))
    root = root_of(request)
    described = description(root, _routes())
    made = as_json(badgerfish(described)) if offer.kind == JSON else _document(described)
    tag = etag("capabilities", offer, made)
    headers = validated(tag, **{"Content-Type": offer.kind, "Allow": "OPTIONS"})
    return by_conditions(request, tag) or Response(made, headers=headers)


def _routes() -> Iterator[APIRoute]:
    return (one for one in router.routes if isinstance(one, APIRoute) and "OPTIONS" not in (one.methods or ()))


def description(root: str, routes: Iterator[APIRoute]) -> Element:
    """The Capabilities Description: a resource for each step of the paths, and its methods."""
    application = Element("application", {"xmlns": NAMESPACE})
    resources = SubElement(application, "resources", {"base": f"{root}/"})
    known: dict[tuple[str, ...], Element] = {(): resources}
    for route in routes:
        steps = tuple(route.path.removeprefix(PREFIX).strip("/").split("/"))
        resource = _resource(known, steps)
        for method in sorted(route.methods or ()):
            _method(resource, route, method)
    return application


def _resource(known: dict[tuple[str, ...], Element], steps: tuple[str, ...]) -> Element:
    if steps not in known:
        above = _resource(known, steps[:-1])
        name = steps[-1].replace(":path", "")
        known[steps] = SubElement(above, "resource", {"path": name})
        if name.startswith("{"):
            SubElement(known[steps], "param", {"name": name.strip("{}"), "style": "template", "required": "true"})
    return known[steps]


def _method(resource: Element, route: APIRoute, method: str) -> None:
    made = SubElement(resource, "method", {"name": method, "id": route.name})
    request = SubElement(made, "request")
    for name in ("accept", "charset", *_parameters(route, method)):
        SubElement(request, "param", {"name": name, "style": "query"})
    for kind in _taken(route):
        SubElement(request, "representation", {"mediaType": kind})
    for status, said in sorted(route.responses.items(), key=lambda one: int(one[0])):
        answer = SubElement(made, "response", {"status": str(status)})
        for kind in said.get("content", ()):
            SubElement(answer, "representation", {"mediaType": kind})


def _parameters(route: APIRoute, method: str) -> Sequence[str]:
    if method != "GET":
        return ()
    level = next((level for end, level in _SEARCHES.items() if route.path.endswith(end)), None)
    if level is not None:
        return (*_PAGING, *sorted(keyword for keyword in ATTRIBUTES if can_match(level, keyword)))
    if route.path.endswith("/rendered"):
        return _RENDERING
    return ("viewport",) if route.path.endswith("/thumbnail") else ()


def _taken(route: APIRoute) -> Sequence[str]:
    body: dict[str, Any] = (route.openapi_extra or {}).get("requestBody", {})
    return tuple(body.get("content", ()))


def _document(described: Element) -> bytes:
    body: bytes = tostring(described, encoding="utf-8", xml_declaration=True)
    return body


def badgerfish(node: Element) -> dict[str, Any]:
    """The same as JSON: attributes by ``@name``, elements by name, several of a name as a list (PS3.18 annex G)."""
    return {node.tag: _members(node)}


def _members(node: Element) -> dict[str, Any]:
    found: dict[str, Any] = {
        f"@{name}": {"$": value} if name == "xmlns" else value for name, value in node.attrib.items()
    }
    for one in node:
        made = _members(one)
        if one.tag in found:
            before = found[one.tag]
            found[one.tag] = [*(before if isinstance(before, list) else [before]), made]
        else:
            found[one.tag] = made
    return found
