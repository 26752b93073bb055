"""The portal in front of a Django project."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import SESSION_KEY, authenticate
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from .. import wsgi
from .._errors import InvalidArgument, NarthexError, Refused
from .._guard import Mounts, is_private, rest_of_grid
from .._narthex import BODY_BYTES_MAX, Events
from .._portal import Portal
from .._values import Profile
from .._visit import Answered, Visit
from ._portal import get_portal, narthex_settings

GetResponse = Callable[[HttpRequest], HttpResponse]

FAMILY_KEY = "_narthex_family"
"""Which of the portal's sessions the data in ``request.session`` belongs to."""


class PortalMiddleware:
    """Answers what is the portal's; elsewhere ``request.narthex`` says who is there, and
    ``request.user`` is the project's own user of that person.

    Goes below ``AuthenticationMiddleware``. Who has no session of the portal's stays who Django
    says they are: superusers keep their own log-in. Below ``NARTHEX["django_users"]`` (by default
    ``/admin/``) Django's own users come first.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        portal = get_portal()
        path = wsgi.path_of(_environ(request))
        if portal._engine.owns(path):
            return _pages(portal, request, path)
        mounted = request.path != request.path_info
        if mounted and Mounts(portal).lead_around(request.path, request.path_info):
            return HttpResponse(status=404)
        try:
            said = wsgi.request(_environ(request))
            admitted = portal._engine.admit(said, False).run()
        except InvalidArgument:
            return HttpResponse(status=400)
        if isinstance(admitted, tuple):
            return _response(Answered(admitted))
        visit = Visit(admitted)
        if visit.session is None and _may_not_have_gone(portal, request):
            # What the person put into the session is neither shown to who comes with an old token nor lost.
            again = portal._engine.admit(said, True).run()
            return _response(Answered(again)) if isinstance(again, tuple) else HttpResponse(status=503)
        request.narthex = visit  # type: ignore[attr-defined]
        _bind_session(request, visit)
        if visit.session is not None:
            _put_user(request, visit)
        response = self.get_response(request)
        if visit.session is not None and _leads_to_log_in(portal, response):
            # Who has a session would come straight back from there, and be led there again.
            response = _response(visit.refused("not_permitted"))
        if hasattr(request, "session") and not request.session.is_empty():
            _mark_session(request.session, visit)
        if visit.session is not None and not is_private(response.get("Cache-Control", "")):
            response["Cache-Control"] = "no-store"
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """What ``request.narthex.require()`` raises is an answer."""
        return _response(error) if isinstance(error, Answered) else None


def _leads_to_log_in(portal: Portal, response: HttpResponse) -> bool:
    """Whether it leads to the portal's log-in, and from there to a page: what Django's decorators answer
    to who is not let in."""
    to = urlsplit(response.get("Location", ""))
    is_log_in = to.path.endswith("/login") and portal._engine.owns(to.path)
    return is_log_in and to.netloc == "" and to.query != ""


def _may_not_have_gone(portal: Portal, request: HttpRequest) -> bool:
    """Whether the data in ``request.session`` is of a person whose token was replaced while this request
    was on its way, or of whom the store does not answer."""
    if portal.site is None or settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return False
    token = request.COOKIES.get(portal.site.session_cookie)
    if not token or not hasattr(request, "session") or FAMILY_KEY not in request.session:
        return False
    try:
        portal.verify_session(token)
    except Refused as refused:
        return refused.code == "token_replaced"
    except NarthexError:
        return True
    return False


def _environ(request: HttpRequest) -> dict[str, Any]:
    """As the server said it: Django has read the path as UTF-8 and put that in its place."""
    path = request.path.encode("utf-8", "surrogatepass").decode("latin-1")
    return {**request.META, "SCRIPT_NAME": "", "PATH_INFO": path}


def _put_user(request: HttpRequest, visit: Visit) -> None:
    own = tuple(narthex_settings().get("django_users", ("/admin/",)))
    if request.path.startswith(own):
        return

    def user() -> Any:
        profile = visit.profile()
        found = None if profile is None else authenticate(request, narthex_profile=profile)
        return found or AnonymousUser()

    request.user = SimpleLazyObject(user)  # type: ignore[assignment]

    async def auser() -> Any:
        from asgiref.sync import sync_to_async

        return await sync_to_async(user)()

    request.auser = auser


def _bind_session(request: HttpRequest, visit: Visit) -> None:
    """What a person left in Django's session is gone when their session of the portal ended, or
    another person came; what nobody left is gone when a person comes. Who had logged in to Django itself
    stays so until the person goes."""
    if not hasattr(request, "session"):
        return
    session = request.session
    if settings.SESSION_COOKIE_NAME in request.COOKIES:
        bound = session.get(FAMILY_KEY)
        djangos_own = bound is None and SESSION_KEY in session
        if bound != visit.family and not djangos_own and not session.is_empty():
            session.flush()
    _mark_session(session, visit)


def _mark_session(session: SessionBase, visit: Visit) -> None:
    """Says whose the session is. That alone makes none: an empty one is marked, and saved when
    something is put into it, by the page or by middleware."""
    if visit.family is None or session.get(FAMILY_KEY) == visit.family:
        return
    to_save = session.modified or not session.is_empty()
    session[FAMILY_KEY] = visit.family
    session.modified = to_save


def _pages(portal: Portal, request: HttpRequest, path: str) -> HttpResponse:
    arrived = time.monotonic()
    before = _who(portal, request) if _is_log_out(request, path) else None
    try:
        said = wsgi.request(_environ(request))
        body = request.read(BODY_BYTES_MAX + 1)
        status, headers, content, on_grid = portal._engine.handle(said, body, False).run()
    except InvalidArgument:
        return HttpResponse(status=400)
    if on_grid:
        time.sleep(rest_of_grid(arrived))
    assert not isinstance(content, Events), "there are no events without streams"
    response = _made(status, headers, content)
    if status < 400:
        _send_signals(portal, request, response, before)
    return response


def _is_log_out(request: HttpRequest, path: str) -> bool:
    return (request.method, path.rpartition("/")[2]) in {("POST", "logout"), ("DELETE", "session")}


def _send_signals(
    portal: Portal, request: HttpRequest, response: HttpResponse, before: Profile | None
) -> None:
    if before is not None:
        user = authenticate(request, narthex_profile=before)
        user_logged_out.send(sender=user.__class__, request=request, user=user)
    elif request.method == "POST" and request.path.rpartition("/")[2] in ("login", "session"):
        profile = _of_new_cookie(portal, response)
        user = None if profile is None else authenticate(request, narthex_profile=profile)
        if user is not None:
            user_logged_in.send(sender=user.__class__, request=request, user=user)


def _who(portal: Portal, request: HttpRequest) -> Profile | None:
    try:
        admitted = portal._engine.admit(wsgi.request(_environ(request)), False).run()
    except NarthexError:
        return None
    return None if isinstance(admitted, tuple) else Visit(admitted).profile()


def _of_new_cookie(portal: Portal, response: HttpResponse) -> Profile | None:
    """Who the session cookie of a response is for."""
    morsel = response.cookies.get(portal.site.session_cookie) if portal.site else None
    if morsel is None or not morsel.value:
        return None
    try:
        return portal.profile(portal.verify_session(morsel.value))
    except NarthexError:
        return None


def _response(answered: Answered) -> HttpResponse:
    return _made(answered.status, answered.headers, answered.content)


def _made(status: int, headers: list[tuple[bytes, bytes]], content: bytes) -> HttpResponse:
    response = HttpResponse(content, status=status)
    del response["Content-Type"]
    for name, value in headers:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        if key == "set-cookie":
            response.cookies.load(text)
        else:
            response[key] = text
    return response

