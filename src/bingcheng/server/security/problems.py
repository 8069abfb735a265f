"""What can be wrong with a request, before any handler sees it."""

from __future__ import annotations

from bingcheng.core.errors import Owner, Problem

NOT_SIGNED_IN = Problem(
    code="server.not-signed-in",
    says="you are not signed in, or your session has ended",
    remedy="Sign in and try again.",
    owner=Owner.OPERATOR,
)
WRONG_FORM = Problem(
    code="server.wrong-form",
    says="the form is too old, or did not come from a page of this server",
    remedy="Go back, load the page again and send the form once more.",
    owner=Owner.OPERATOR,
)
TOO_LARGE = Problem(
    code="server.too-large",
    says="the request is larger than this server takes",
    remedy="Send less at once, or ask the operator to raise the limit.",
    owner=Owner.OPERATOR,
)
TOO_SLOW = Problem(
    code="server.too-slow",
    says="the request came too slowly to its end",
    remedy="Send it again; if it persists, look at the network between.",
    owner=Owner.OPERATOR,
)
NO_SUCH_PAGE = Problem(
    code="server.no-such-page",
    says="there is no such page, or you may not see it",
    remedy="Check the address, or go back to the start.",
    owner=Owner.OPERATOR,
)
WRONG_METHOD = Problem(
    code="server.wrong-method",
    says="this address does not take such a request",
    remedy="Check the address and the method.",
    owner=Owner.OPERATOR,
)
WRONG_REQUEST = Problem(
    code="server.wrong-request",
    says="the request is not as it should be: {where}",
    remedy="Correct it and send it again.",
    owner=Owner.OPERATOR,
)
FAULT = Problem(
    code="server.fault",
    says="the server met an unexpected fault; it is in the log under {request}",
    remedy="Try again; if it persists, tell the operator this number.",
    owner=Owner.OPERATOR,
)
NOT_RECORDED = Problem(
    code="server.not-recorded",
    says="the access could not be recorded, so it was not granted",
    remedy="Tell the operator: the database can't be written to.",
    owner=Owner.OPERATOR,
)
NO_ROOM_TO_RECORD = Problem(
    code="server.disk-full",
    says="the server's disk is full, so the access could not be recorded and was not granted",
    remedy="Tell the operator to free some space. What the server said it had stored is not lost.",
    owner=Owner.OPERATOR,
)
UNGUARDED = Problem(
    code="server.unguarded-route",
    says="the route {route} says neither who is allowed nor that it is public",
    remedy="Declare `allowed(Action…)` or `public()` on it.",
    owner=Owner.DEVELOPER,
)
