"""The portal for FastAPI: dependencies, and the cookie in the OpenAPI document.

::

    app = FastAPI()
    app.add_middleware(PortalMiddleware, portal=portal)

    @app.get("/diary/")
    async def diary(visit: Person) -> ...:

A websocket route asks ``narthex.asgi.visit_of(websocket.scope)``.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie

from ._visit import Visit
from .asgi import PortalMiddleware, visit_of

__all__ = [
    "Anybody",
    "FreshPerson",
    "Person",
    "PortalMiddleware",
    "optional_visit",
    "require_fresh_visit",
    "require_visit",
]

session_cookie = APIKeyCookie(
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
    request: Request, _cookie: Annotated[str | None, Depends(session_cookie)]
) -> Visit:
    """Whoever is there; ``visit.session`` says whether we know them."""
    return visit_of(request.scope)


async def require_visit(visit: Annotated[Visit, Depends(optional_visit)]) -> Visit:
    """Who has a live session; anybody else is led to the log-in and back (a script: 401)."""
    visit.require()
    return visit


async def require_fresh_visit(visit: Annotated[Visit, Depends(require_visit)]) -> Visit:
    """Who typed the password a short while ago; anybody else is asked for it."""
    visit.require_fresh()
    return visit


Anybody = Annotated[Visit, Depends(optional_visit)]
Person = Annotated[Visit, Depends(require_visit)]
FreshPerson = Annotated[Visit, Depends(require_fresh_visit)]
