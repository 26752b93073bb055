"""The portal's pages, JSON and assets as a WSGI application, under any prefix.

WSGI cannot stream events: pages ask for their session instead.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ._errors import InvalidArgument
from ._guard import PATH_SAFE, Mounts, Protected, is_private, rest_of_grid, with_pages
from ._narthex import BODY_BYTES_MAX, Events
from ._portal import Portal
from ._site import Request
from ._visit import Answered, Visit

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["PortalApp", "PortalMiddleware", "visit_of"]

ENVIRON_KEY = "narthex"
"""Where the middleware puts the :class:`~narthex.Visit` of a request."""


class PortalApp:
    """Serves the portal that lives at ``portal.site.base_url``.

    Mount it where the path of the base URL says, on the root for ``https://portal.school.example``.
    """

    def __init__(self, portal: Portal) -> None:
        self.portal = with_pages(portal)

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        arrived = time.monotonic()
        try:
            operation = self.portal._engine.handle(request(environ), _body(environ), False)
        except InvalidArgument:
            start_response("400 Bad Request", [("Content-Length", "0")])
            return [b""]
        status, headers, content, on_grid = operation.run()
        if on_grid:
            time.sleep(rest_of_grid(arrived))
        assert not isinstance(content, Events), "there are no events without streams"
        return _answer(start_response, status, headers, content)


class PortalMiddleware:
    """The portal in front of an application: answers what is the portal's, and tells the
    application who is there. ``environ["narthex"]`` is the :class:`~narthex.Visit`.

    ``protect``: prefixes that nobody comes to without a session.
    """

    def __init__(
        self, app: WSGIApplication, portal: Portal, protect: Sequence[str] = ()
    ) -> None:
        self.app = app
        self.portal = with_pages(portal)
        self.protect = Protected(protect)
        self.mounts = Mounts(portal, protect)
        self.mounts.seen_by(app)
        self.pages = PortalApp(portal)

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        path = path_of(environ)
        if self.portal._engine.owns(path):
            return self.pages(environ, start_response)
        decoded = _decoded(_bytes_of_path(environ))
        if self.mounts.lead_around(decoded, _decoded(environ.get("PATH_INFO", "").encode("latin-1"))):
            start_response("404 Not Found", [("Content-Length", "0")])
            return [b""]
        try:
            person = decoded in self.protect
            operation = self.portal._engine.admit(request(environ), person)
        except InvalidArgument:
            start_response("400 Bad Request", [("Content-Length", "0")])
            return [b""]
        admitted = operation.run()
        if isinstance(admitted, tuple):
            return _refuse(start_response, Answered(admitted))
        visit = Visit(admitted)
        environ[ENVIRON_KEY] = visit

        def start_for_one(
            status: str, headers: list[tuple[str, str]], error: Any = None
        ) -> Callable[[bytes], object]:
            if visit.session is not None:
                headers = _kept_nowhere(headers)
            return start_response(status, headers, error)

        try:
            return _begun(self.app(environ, start_for_one))
        except Answered as answered:
            return _refuse(start_response, answered)


def _begun(content: Iterable[bytes]) -> Iterable[bytes]:
    """The same, the first piece made: a generator begins to run, and may say who is let in, only when it
    is asked for that."""
    if not isinstance(content, Generator):
        return content
    try:
        first = next(content)
    except StopIteration:
        return ()
    return _Resumed(first, content)


class _Resumed:
    """The pieces of a generator of which the first was taken."""

    def __init__(self, first: bytes, rest: Generator[bytes, Any, Any]) -> None:
        self._pieces = chain((first,), rest)
        self.close = rest.close

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces


def _kept_nowhere(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What is for one person is kept by no cache, whatever the application says."""
    said = [value for name, value in headers if name.lower() == "cache-control"]
    if any(is_private(value) for value in said):
        return headers
    others = [one for one in headers if one[0].lower() != "cache-control"]
    return [*others, ("Cache-Control", "no-store")]


def visit_of(environ: WSGIEnvironment) -> Visit:
    """Who is there, as :class:`PortalMiddleware` found out."""
    visit = environ.get(ENVIRON_KEY)
    if not isinstance(visit, Visit):
        raise RuntimeError("there is no visit: add narthex.wsgi.PortalMiddleware")
    return visit


def _answer(
    start_response: StartResponse,
    status: int,
    headers: list[tuple[bytes, bytes]],
    content: bytes,
) -> list[bytes]:
    told = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
    bodiless = status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
    if not bodiless and not any(name == "content-length" for name, _ in told):
        told.append(("Content-Length", str(len(content))))
    start_response(f"{status} {HTTPStatus(status).phrase}", told)
    return [content]


def _refuse(start_response: StartResponse, answered: Answered) -> list[bytes]:
    return _answer(start_response, answered.status, answered.headers, answered.content)


def path_of(environ: WSGIEnvironment) -> str:
    """The path from the root of the host, percent-encoded."""
    return quote(_bytes_of_path(environ), safe=PATH_SAFE)


def _decoded(path: bytes) -> str:
    """The path as frameworks read it."""
    return path.decode("utf-8", "replace")


def _bytes_of_path(environ: WSGIEnvironment) -> bytes:
    path: str = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return path.encode("latin-1") or b"/"


def request(environ: WSGIEnvironment) -> Request:
    """What the engine needs to know of a request."""
    target = path_of(environ)
    if query := environ.get("QUERY_STRING"):
        target = f"{target}?{query}"
    return Request(
        method=environ["REQUEST_METHOD"],
        target=target,
        headers=list(_headers(environ)),
        peer=environ.get("REMOTE_ADDR") or None,
    )


def _headers(environ: WSGIEnvironment) -> Iterable[tuple[bytes, bytes]]:
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            name = key[5:]
        elif key in ("CONTENT_TYPE", "CONTENT_LENGTH") and value:
            name = key
        else:
            continue
        # Servers say text of Latin-1; clients of tests, and middleware in between, say other things.
        if isinstance(value, str):
            yield (
                name.replace("_", "-").lower().encode("latin-1", "replace"),
                value.encode("latin-1", "replace"),
            )


def _body(environ: WSGIEnvironment) -> bytes:
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    stream = environ.get("wsgi.input")
    if stream is None or length <= 0:
        return b""
    body: bytes = stream.read(min(length, BODY_BYTES_MAX + 1))
    return body
