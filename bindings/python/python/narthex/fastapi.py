"""The portal for FastAPI: dependencies, and the cookie in the OpenAPI document.

::

    app = FastAPI()
    app.add_middleware(PortalMiddleware, portal=portal)

    @app.get("/diary/")
    async def diary(visit: Person) -> ...:

    @app.websocket("/diary/live")
    async def live(websocket: WebSocket, visit: Person) -> ...:
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, WebSocketException
from fastapi.requests import HTTPConnection
from fastapi.security import APIKeyCookie

from ._visit import Visit
from .asgi import POLICY_VIOLATION, PortalMiddleware, visit_of

__all__ = [
    "Anybody",
    "FreshPerson",
    "Person",
    "PortalMiddleware",
    "optional_visit",
    "require_fresh_visit",
    "require_visit",
]


class SessionCookie(APIKeyCookie):
    """For the document only: the middleware has judged the cookie. FastAPI's own asks for a ``Request``,
    which a websocket is not."""

    async def __call__(self, connection: HTTPConnection) -> None:
        return None


session_cookie = SessionCookie(
    name="__Host-narthex",
    scheme_name="narthex",
    # No portal is at hand here: the middleware brings one for each application.
    description=(
        "The session of the portal. Set by its log-in page. On plain http over loopback: `narthex`. "
        "A portal that was opened with a `cookie_suffix` adds `-` and the suffix."
    ),
    auto_error=False,
)


async def optional_visit(
    connection: HTTPConnection, _cookie: Annotated[None, Depends(session_cookie)]
) -> Visit:
    """Whoever is there; ``visit.session`` says whether we know them."""
    return visit_of(connection.scope)


async def require_visit(
    connection: HTTPConnection, visit: Annotated[Visit, Depends(optional_visit)]
) -> Visit:
    """Who has a live session; anybody else is led to the log-in and back (a script: 401). A websocket is
    turned away before it is open: a client sees 403, Starlette's ``TestClient`` 1008."""
    if visit.session is None and _is_websocket(connection):
        raise WebSocketException(POLICY_VIOLATION, "not_logged_in")
    visit.require()
    return visit


async def require_fresh_visit(
    connection: HTTPConnection, visit: Annotated[Visit, Depends(require_visit)]
) -> Visit:
    """Who typed the password a short while ago; anybody else is asked for it. A websocket, which cannot
    ask, is turned away."""
    if not visit.is_fresh() and _is_websocket(connection):
        raise WebSocketException(POLICY_VIOLATION, "reauthentication_needed")
    visit.require_fresh()
    return visit


def _is_websocket(connection: HTTPConnection) -> bool:
    return bool(connection.scope["type"] == "websocket")


Anybody = Annotated[Visit, Depends(optional_visit)]
Person = Annotated[Visit, Depends(require_visit)]
FreshPerson = Annotated[Visit, Depends(require_fresh_visit)]
