"""The portal for Starlette: ``request.user`` and ``request.auth`` by the portal's session.

::

    app = Starlette(
        routes=[...],
        middleware=[
            Middleware(PortalMiddleware, portal=portal),
            Middleware(AuthenticationMiddleware, backend=PortalBackend()),
        ],
    )
"""

from __future__ import annotations

from starlette.authentication import AuthCredentials, AuthenticationBackend, BaseUser
from starlette.requests import HTTPConnection

from ._values import Profile
from ._visit import Visit
from .asgi import PortalMiddleware, visit_of

__all__ = ["PortalBackend", "PortalMiddleware", "PortalUser", "current_visit"]


class PortalUser(BaseUser):
    """Who has a live session."""

    def __init__(self, visit: Visit, profile: Profile) -> None:
        self.visit = visit
        self.profile = profile

    @property
    def is_authenticated(self) -> bool:
        return True

    @property
    def display_name(self) -> str:
        return self.profile.name

    @property
    def identity(self) -> str:
        return self.profile.account


class PortalBackend(AuthenticationBackend):
    """For Starlette's ``AuthenticationMiddleware``, below :class:`PortalMiddleware`; for websockets too.

    Scopes: ``authenticated``, and ``role:organization`` for each membership.
    """

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        visit = visit_of(conn.scope)
        profile = await visit.aprofile()
        if profile is None:
            return None
        scopes = [f"{one.role}:{one.organization}" for one in profile.memberships]
        return AuthCredentials(["authenticated", *scopes]), PortalUser(visit, profile)


def current_visit(request: HTTPConnection) -> Visit:
    """Who is there."""
    return visit_of(request.scope)
