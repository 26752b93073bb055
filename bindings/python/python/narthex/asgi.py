"""The portal's pages, JSON and assets as an ASGI application, under any prefix."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any
from urllib.parse import quote

from ._errors import InvalidArgument
from ._guard import PATH_SAFE, Mounts, Protected, is_private, rest_of_grid, with_pages
from ._narthex import BODY_BYTES_MAX, Events
from ._portal import Portal
from ._site import Request
from ._visit import Answered, Visit

__all__ = ["PortalApp", "PortalMiddleware", "visit_of"]

SCOPE_KEY = "narthex"
"""Where the middleware puts the :class:`~narthex.Visit` of a request."""

HELD_BYTES_MAX = 64 * 1024
"""What of an answer is held back, to see whether it is the application's own: its page of an error."""

POLICY_VIOLATION = 1008
"""What a websocket is closed with that nobody may have (RFC 6455, section 7.4.1)."""

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
# Frameworks write the same three down in their own ways.
App = Callable[[Any, Any, Any], Awaitable[None]]

KEEP_ALIVE_S = 15.0
"""How often an event stream with nothing to say says so."""


class PortalApp:
    """Serves the portal that lives at ``portal.site.base_url``.

    Mount it where the path of the base URL says, on the root for ``https://portal.school.example``.
    """

    def __init__(self, portal: Portal) -> None:
        self.portal = with_pages(portal)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await _lifespan(receive, send)
        else:
            await _close(receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read(receive)
        if body is None:
            return
        arrived = time.monotonic()
        try:
            operation = self.portal._engine.handle(_request(scope), body, True)
        except InvalidArgument:
            await _answer(send, 400, [], b"")
            return
        status, headers, content, on_grid = await operation
        if on_grid:
            await asyncio.sleep(rest_of_grid(arrived))
        if isinstance(content, Events):
            await _stream(receive, send, status, headers, content)
        else:
            await _answer(send, status, headers, content)


class PortalMiddleware:
    """The portal in front of an application: answers what is the portal's, and tells the
    application who is there. ``scope["narthex"]`` is the :class:`~narthex.Visit`.

    ``protect``: prefixes that nobody comes to without a session, by HTTP or websocket. A websocket that a
    page of another origin opens is refused there, and has no session elsewhere. A websocket stays open
    when its session ends: whoever keeps one open awaits :meth:`~narthex.Portal.until_ended` beside it.
    """

    def __init__(self, app: App, portal: Portal, protect: Sequence[str] = ()) -> None:
        self.app = app
        self.portal = with_pages(portal)
        self.protect = Protected(protect)
        self.mounts = Mounts(portal, protect)
        self.mounts.seen_by(app)
        self.pages = PortalApp(portal)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = _whole_path(scope)
        if self.portal._engine.owns(path):
            await self.pages(scope, receive, send)
            return
        if self.mounts.lead_around(path, _below_mount(scope)):
            await _answer(send, 404, [], b"")
            return
        try:
            operation = self.portal._engine.admit(_request(scope), path in self.protect)
        except InvalidArgument:
            await _answer(send, 400, [], b"")
            return
        admitted = await operation
        if isinstance(admitted, tuple):
            await _refuse(send, Answered(admitted))
            return
        visit = Visit(admitted)
        scope[SCOPE_KEY] = visit
        reply = _Reply(send, visit)
        try:
            await self.app(scope, receive, reply.send)
        except Answered as answered:
            if reply.begun:
                raise
            await _refuse(send, answered)
        except Exception:
            await reply.send_held()
            raise
        else:
            await reply.send_held()

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = _whole_path(scope)
        protected = path in self.protect
        of_our_pages = self._is_of_our_pages(scope)
        around = self.mounts.lead_around(path, _below_mount(scope))
        if around or self.portal._engine.owns(path) or (protected and not of_our_pages):
            await _close(receive, send)
            return
        try:
            request = _request(scope if of_our_pages else _without_cookies(scope))
            admitted = await self.portal._engine.admit(request, protected)
        except InvalidArgument:
            await _close(receive, send)
            return
        if isinstance(admitted, tuple):
            await _close(receive, send)
            return
        scope[SCOPE_KEY] = Visit(admitted)
        closed = False

        async def send_until_closed(message: Message) -> None:
            nonlocal closed
            closed = closed or message["type"] == "websocket.close"
            await send(message)

        try:
            await self.app(scope, receive, send_until_closed)
        except Answered:
            # What leads a page to the log-in closes a websocket.
            if not closed:
                await send({"type": "websocket.close", "code": POLICY_VIOLATION})

    def _is_of_our_pages(self, scope: Scope) -> bool:
        """Browsers say which page opens a websocket; they do not keep other pages from it."""
        said = [value for name, value in scope["headers"] if name.lower() == b"origin"]
        return len(said) < 2 and all(
            self.portal._engine.is_origin(origin.decode("latin-1")) for origin in said
        )


class _Reply:
    """What the application answers, on its way out. An application that is mounted in it may take the way
    to the log-in for an error, answer with its page of an error, and raise only then: such an answer is
    held back until it is known whose it is."""

    def __init__(self, send: Send, visit: Visit) -> None:
        self.begun = False
        self._send = send
        self._visit = visit
        self._held: list[Message] = []

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if self._visit.session is not None:
                _keep_nowhere(message)
            if self._visit._led_away is not None and message["status"] >= 500:
                self._held.append(message)
                return
            self.begun = True
        if not self._held:
            await self._send(message)
            return
        self._held.append(message)
        if sum(len(one.get("body", b"")) for one in self._held) > HELD_BYTES_MAX:
            await self.send_held()

    async def send_held(self) -> None:
        self.begun = self.begun or bool(self._held)
        while self._held:
            await self._send(self._held.pop(0))


def visit_of(scope: Scope) -> Visit:
    """Who is there, as :class:`PortalMiddleware` found out."""
    visit = scope.get(SCOPE_KEY)
    if not isinstance(visit, Visit):
        raise RuntimeError("there is no visit: add narthex.asgi.PortalMiddleware")
    return visit


async def _close(receive: Receive, send: Send) -> None:
    """Turns a websocket away before it is open: the client sees 403."""
    await receive()
    await send({"type": "websocket.close", "code": POLICY_VIOLATION})


def _keep_nowhere(message: Message) -> None:
    """What is for one person is kept by no cache, whatever the application says."""
    headers = list(message.get("headers", ()))
    said = [value for name, value in headers if name.lower() == b"cache-control"]
    if not any(is_private(value.decode("latin-1")) for value in said):
        headers = [one for one in headers if one[0].lower() != b"cache-control"]
        headers.append((b"cache-control", b"no-store"))
    message["headers"] = headers


async def _refuse(send: Send, answered: Answered) -> None:
    await _answer(send, answered.status, answered.headers, answered.content)


def _without_cookies(scope: Scope) -> Scope:
    headers = [header for header in scope["headers"] if header[0].lower() != b"cookie"]
    return {**scope, "headers": headers}


def _mount(scope: Scope) -> str:
    mount: str = scope.get("root_path", "")
    return mount.rstrip("/")


def _says_mount(scope: Scope) -> bool:
    """Whether the mount is in the path. Behind a proxy that takes it away, it is not."""
    path, mount = scope["path"], _mount(scope)
    return bool(path == mount or path.startswith(mount + "/"))


def _whole_path(scope: Scope) -> str:
    """The path as the browser asked for it."""
    path: str = scope["path"]
    return path if _says_mount(scope) else _mount(scope) + path


def _below_mount(scope: Scope) -> str:
    """The path as frameworks look for the page."""
    path: str = scope["path"]
    return path.removeprefix(_mount(scope)) if _says_mount(scope) else path


def _request(scope: Scope) -> Request:
    # The path as it was sent: what was percent-encoded stays so.
    path = scope.get("raw_path") or quote(scope["path"], safe=PATH_SAFE).encode()
    if not _says_mount(scope):
        path = quote(_mount(scope), safe=PATH_SAFE).encode() + path
    query = scope.get("query_string", b"")
    target = path + b"?" + query if query else path
    client = scope.get("client")
    return Request(
        method=scope.get("method", "GET"),
        target=target.decode("latin-1"),
        headers=[(bytes(name), bytes(value)) for name, value in scope["headers"]],
        peer=client[0] if client else None,
    )


async def _read(receive: Receive) -> bytes | None:
    """The body, as far as it matters; ``None``: the client has gone."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        more: bytes = message.get("body", b"")
        body = (body + more)[: BODY_BYTES_MAX + 1]
        if not message.get("more_body", False):
            return body


async def _answer(
    send: Send, status: int, headers: list[tuple[bytes, bytes]], content: bytes
) -> None:
    length = (b"content-length", str(len(content)).encode())
    if status not in (204, 304) and not any(name == b"content-length" for name, _ in headers):
        headers = [*headers, length]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def _stream(
    receive: Receive, send: Send, status: int, headers: list[tuple[bytes, bytes]], events: Events
) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        while not gone.done():
            coming = asyncio.ensure_future(_next(events))
            while not coming.done() and not gone.done():
                done, _ = await asyncio.wait(
                    (coming, gone), timeout=KEEP_ALIVE_S, return_when=asyncio.FIRST_COMPLETED
                )
                if not done:
                    await send({"type": "http.response.body", "body": b":\n\n", "more_body": True})
            if gone.done():
                break
            event = coming.result()
            if event is None:
                await send({"type": "http.response.body", "body": b""})
                break
            await send({"type": "http.response.body", "body": event, "more_body": True})
    finally:
        events.close()
        gone.cancel()


async def _next(events: Events) -> bytes | None:
    return await events.next()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
