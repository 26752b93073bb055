"""What ``manage.py check`` looks at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured

from ._portal import judged_settings

MIDDLEWARE = "narthex.django.middleware.PortalMiddleware"
AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"
BACKEND = "narthex.django.backends.PortalBackend"


@register
def check_settings(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """The settings, and the order of the middleware."""
    found: list[CheckMessage] = []
    try:
        told = judged_settings()
    except ImproperlyConfigured as error:
        hint = 'NARTHEX = {"store": "redb:///path", "base_url": "https://..."}'
        return [Error(str(error), hint=hint, id="narthex.E001")]
    middleware = list(settings.MIDDLEWARE)
    if MIDDLEWARE not in middleware:
        found.append(Error("the portal answers nothing", hint=f"add {MIDDLEWARE}", id="narthex.E002"))
    elif AUTHENTICATION in middleware and middleware.index(AUTHENTICATION) > middleware.index(
        MIDDLEWARE
    ):
        hint = f"move {MIDDLEWARE} below {AUTHENTICATION}"
        found.append(Error("request.user would be overwritten", hint=hint, id="narthex.E003"))
    if BACKEND not in settings.AUTHENTICATION_BACKENDS:
        hint = f"add {BACKEND} to AUTHENTICATION_BACKENDS"
        found.append(Error("the portal's people have no backend", hint=hint, id="narthex.E004"))
    elif settings.AUTHENTICATION_BACKENDS[0] == BACKEND and len(settings.AUTHENTICATION_BACKENDS) > 1:
        # Django takes the first backend that can find a user for whom its tests log in.
        message = "Client.force_login() of the project's tests logs nobody in"
        hint = f"move {BACKEND} to the end of AUTHENTICATION_BACKENDS"
        found.append(Warning(message, hint=hint, id="narthex.W003"))
    base_url = told["base_url"].rstrip("/")
    path = "/" + base_url.split("://", 1)[-1].partition("/")[2]
    login = f"{path.rstrip('/')}/login"
    if settings.LOGIN_URL != login:
        message = f"LOGIN_URL is {settings.LOGIN_URL!r}: login_required does not lead to the portal"
        found.append(Warning(message, hint=f"LOGIN_URL = {login!r}", id="narthex.W001"))
    if not settings.DEBUG and told["store"].startswith("memory:"):
        hint = "redb:///path keeps it"
        message = "a memory: store forgets everybody when the process ends"
        found.append(Warning(message, hint=hint, id="narthex.W002"))
    return found
