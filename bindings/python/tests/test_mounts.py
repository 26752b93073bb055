"""The pages and the JSON, mounted in applications."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from doors import Reply, WsgiDoor, asgi, wsgi

from narthex import App, AttemptPolicy, InvalidArgument, NamedNetwork, Policy
from narthex._site import Request
from narthex.asgi import PortalApp, PortalMiddleware, visit_of
from narthex.testing import ADA, HOME, TestPortal, claim, log_in, portal
from narthex.wsgi import PortalApp as WsgiApp
from narthex.wsgi import PortalMiddleware as WsgiMiddleware
from narthex.wsgi import visit_of as wsgi_visit_of

HOST = {"host": "127.0.0.1:8000"}
NAVIGATION = {**HOST, "accept": "text/html", "sec-fetch-mode": "navigate", "sec-fetch-user": "?1"}


@pytest.fixture
def mounted() -> Iterator[TestPortal]:
    policy = Policy(apps=(App("/diary/"),))
    with portal(base_url="http://127.0.0.1:8000/portal", policy=policy) as opened:
        yield opened


def get(app: Any, target: str, headers: dict[str, str], method: str = "GET") -> Reply:
    return asyncio.run(asgi(app, method, target, headers, b"", "192.0.2.7"))


def below(app: Any, mount: str) -> Any:
    """As a server or a framework hands it on that was told of a mount."""

    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "root_path": mount}, receive, send)

    return mounted


def cookie(school: TestPortal) -> dict[str, str]:
    return {"cookie": f"narthex={log_in(school).token.expose()}"}


def test_the_same_pages_under_a_prefix(mounted: TestPortal) -> None:
    app = PortalApp(mounted)
    login = get(app, "/portal/login", HOST)
    assert login.status == 200
    assert b'href="/portal/claim"' in login.body
    asset = login.body.split(b'src="')[1].split(b'"')[0].decode()
    assert asset.startswith("/portal/assets/")
    script = get(app, asset, HOST)
    assert "immutable" in (script.header("cache-control") or "")
    kept = HOST | {"if-none-match": script.header("etag") or ""}
    for again in (
        get(app, asset, kept),
        wsgi(WsgiApp(mounted), "GET", asset, kept, b"", "192.0.2.7"),
    ):
        # The length of what is kept is not that of the answer (RFC 9110, section 8.6).
        assert (again.status, again.header("content-length")) == (304, None)
    assert get(app, "/login", HOST).status == 404
    head = get(app, "/portal/login", HOST, "HEAD")
    assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize("shared", [False, True])
def test_a_read_is_admitted_on_the_thread_of_the_event_loop(shared: bool, tmp_path: Path) -> None:
    url = f"redb://{tmp_path}/store/portal.redb"
    policy = Policy(apps=(App("/diary/"),))
    base_url = "http://127.0.0.1:8000/portal"
    with portal(url, base_url=base_url, policy=policy, shared=shared) as mounted:
        _admitted_without_a_wait(mounted)


def _admitted_without_a_wait(mounted: TestPortal) -> None:
    sent = {**HOST, **cookie(mounted)}

    def admit(headers: dict[str, str]) -> Any:
        said = [(name.encode(), text.encode()) for name, text in headers.items()]
        request = Request(method="GET", target="/diary/monday", headers=said, peer="192.0.2.7")
        # No event loop is running: what waits for another thread would say so.
        with pytest.raises(StopIteration) as done:
            next(mounted._engine.admit(request, True).__await__())
        return done.value.value

    visit = admit(sent)
    assert visit.session is not None
    with pytest.raises(StopIteration) as told:
        next(visit.profile().__await__())
    assert told.value.value.login_id == ADA.login_id
    status, _, _ = admit(HOST)
    assert status == 401
    with pytest.raises(RuntimeError, match="event loop"):
        mounted._engine.log_in(
            ADA.login_id, ADA.password, shared_computer=False, presented=None, asker=HOME
        ).__await__()


def test_a18_another_host_is_not_ours(mounted: TestPortal) -> None:
    assert get(PortalApp(mounted), "/portal/login", {"host": "evil.example"}).status == 421


def test_what_is_no_request_is_answered_400_and_a_huge_body_413(mounted: TestPortal) -> None:
    app = PortalApp(mounted)
    assert get(app, "/portal/lo gin", HOST).status == 400
    assert get(app, "/portal/login", HOST, "G E T").status == 400
    reply = asyncio.run(
        asgi(app, "POST", "/portal/api/v1/session", HOST, b"x" * 1_000_000, "192.0.2.7")
    )
    assert reply.status == 413


def test_events_are_streamed_until_the_browser_leaves() -> None:
    # For itself alone: the process hears of all that happens.
    with portal(base_url="http://127.0.0.1:8000/portal") as school:
        asyncio.run(_events(school))


async def _events(school: TestPortal) -> None:
    app, login = PortalApp(school), log_in(school)
    headers = {**HOST, "cookie": f"narthex={login.token.expose()}"}
    sent: asyncio.Queue[Any] = asyncio.Queue()
    gone = asyncio.Event()
    first = True

    async def receive() -> Any:
        nonlocal first
        if first:
            first = False
            return {"type": "http.request", "body": b""}
        await gone.wait()
        return {"type": "http.disconnect"}

    scope = {
        "type": "http", "method": "GET", "path": "/portal/api/v1/events",
        "raw_path": b"/portal/api/v1/events", "query_string": b"", "client": ("192.0.2.7", 1),
        "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
    }  # fmt: skip
    task = asyncio.ensure_future(app(scope, receive, sent.put))
    start = await asyncio.wait_for(sent.get(), 10)
    assert start["status"] == 200
    assert (b"content-type", b"text/event-stream") in start["headers"]
    assert b"event: hello" in (await asyncio.wait_for(sent.get(), 10))["body"]
    await school.achange_password(
        login.session, current=ADA.password, new="nine lives of a library cat",
        asker=HOME,
    )
    assert b"password_changed" in (await asyncio.wait_for(sent.get(), 10))["body"]
    assert not task.done()
    gone.set()
    await asyncio.wait_for(task, 10)


def test_where_events_cannot_be_streamed_the_answer_is_204(mounted: TestPortal) -> None:
    door = WsgiDoor()
    door.open(mounted._engine)
    headers = {**HOST, **cookie(mounted)}
    assert door.send("GET", "/portal/api/v1/events", headers, b"", "192.0.2.7").status == 204
    assert isinstance(WsgiApp(mounted), WsgiApp)


@pytest.mark.parametrize("suffix", ["", "north"])
@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8000/portal", "HTTPS://portal.school.example"])
def test_the_site_says_how_the_session_cookie_is_called(base_url: str, suffix: str) -> None:
    with portal(base_url=base_url, cookie_suffix=suffix) as school:
        claim(school)
        assert school.site is not None
        at = urlsplit(base_url)
        headers = {
            "host": at.netloc,
            "content-type": "application/json",
            "sec-fetch-site": "same-origin",
        }
        body = json.dumps({"login_id": ADA.login_id, "password": ADA.password}).encode()
        target = f"{at.path}/api/v1/session"
        reply = asyncio.run(asgi(PortalApp(school), "POST", target, headers, body, "192.0.2.7"))
        set_ = [value for name, value in reply.headers if name == "set-cookie"]
        cookies = dict(cookie.partition(";")[0].split("=", 1) for cookie in set_)
        assert school.verify_session(cookies[school.site.session_cookie]).account


async def hello(scope: Any, receive: Any, send: Any) -> None:
    visit = visit_of(scope)
    if scope["path"].endswith("/private"):
        visit.require()
    profile = await visit.aprofile()
    body = f"hello {profile.given_name if profile else 'stranger'}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def test_the_middleware_says_who_is_there(mounted: TestPortal) -> None:
    app = PortalMiddleware(hello, mounted)
    stranger = get(app, "/diary/", NAVIGATION)
    assert (stranger.status, stranger.body) == (200, b"hello stranger")
    known = get(app, "/diary/", {**NAVIGATION, **cookie(mounted)})
    assert (known.status, known.body) == (200, b"hello Ada")
    assert known.header("cache-control") == "no-store"
    assert get(app, "/portal/login", HOST).status == 200


KEPT = [
    (None, "no-store"),
    ("public, max-age=60", "no-store"),
    ("max-age=60", "no-store"),
    ("Private, max-age=60", "Private, max-age=60"),
    ("no-cache, no-store", "no-cache, no-store"),
]


@pytest.mark.parametrize(("said", "told"), KEPT)
def test_wb07_a_persons_page_is_kept_by_no_cache_whatever_it_says(
    mounted: TestPortal, said: str | None, told: str
) -> None:
    headers = [] if said is None else [("Cache-Control", said)]

    async def page(scope: Any, receive: Any, send: Any) -> None:
        pairs = [(name.lower().encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": 200, "headers": pairs})
        await send({"type": "http.response.body", "body": b"hers"})

    def wsgi_page(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", list(headers))
        return [b"hers"]

    wsgi_app = WsgiMiddleware(wsgi_page, mounted)
    for known, expected in ((cookie(mounted), told), ({}, said)):
        asked = {**NAVIGATION, **known}
        assert get(PortalMiddleware(page, mounted), "/diary/", asked).header("cache-control") == expected
        reply = wsgi(wsgi_app, "GET", "/diary/", asked, b"", "192.0.2.7")
        assert reply.header("cache-control") == expected


def test_a_wsgi_generator_may_say_who_is_let_in(mounted: TestPortal) -> None:
    closed = []

    def page(environ: Any, start_response: Any) -> Iterator[bytes]:
        try:
            session = wsgi_visit_of(environ).require()
            start_response("200 OK", [])
            yield b"hello "
            yield session.account.encode()
        finally:
            closed.append(True)

    app = WsgiMiddleware(page, mounted)
    assert wsgi(app, "GET", "/diary/", NAVIGATION, b"", "192.0.2.7").status == 303
    known = wsgi(app, "GET", "/diary/", {**NAVIGATION, **cookie(mounted)}, b"", "192.0.2.7")
    assert (known.status, known.body[:6]) == (200, b"hello ")
    assert len(closed) == 2


def test_s14_who_must_be_known_is_led_to_the_log_in_and_a_script_is_answered_401(
    mounted: TestPortal,
) -> None:
    protecting = PortalMiddleware(hello, mounted, protect=["/diary/"])
    for app, path in ((protecting, "/diary/x"), (PortalMiddleware(hello, mounted), "/diary/private")):
        led = get(app, path, NAVIGATION)
        assert led.status == 303
        assert (led.header("location") or "").startswith(f"/portal/login?return_to={path}")
        script = get(app, path, {**HOST, "sec-fetch-mode": "cors"})
        assert (script.status, script.json["code"]) == (401, "not_logged_in")


async def websocket(app: Any, path: str, headers: dict[str, str]) -> tuple[list[Any], Any]:
    """What a server is told, and the visit that the application saw."""
    sent: list[Any] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("192.0.2.7", 1),
    }
    await app(scope, receive, send)
    return sent, scope.get("narthex")


def test_s14_a_websocket_below_a_protected_prefix_needs_a_session_and_a_page_of_ours(
    mounted: TestPortal,
) -> None:
    async def open_(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})

    app = PortalMiddleware(open_, mounted, protect=["/diary/"])
    ours, theirs = {"origin": "http://127.0.0.1:8000"}, {"origin": "http://evil.example"}
    known = {**HOST, **cookie(mounted)}
    closed = [{"type": "websocket.close", "code": 1008}]
    for path in ("/diary/live", "//diary/live", "/x/../diary/live", "/Diary/live", "/diary"):
        for stranger in (HOST, {**HOST, **ours}, {**HOST, "cookie": "narthex=" + "A" * 64}):
            sent, visit = asyncio.run(websocket(app, path, stranger))
            assert (sent, visit) == (closed, None), path
    sent, _ = asyncio.run(websocket(app, "/diary/live", {**known, **theirs}))
    assert sent == closed
    sent, visit = asyncio.run(websocket(app, "/diary/live", {**known, **ours}))
    assert sent == [{"type": "websocket.accept"}]
    assert visit.profile().given_name == "Ada"
    # Elsewhere it is told who is there, if anybody is.
    sent, visit = asyncio.run(websocket(app, "/open/live", HOST))
    assert (sent, visit.session) == ([{"type": "websocket.accept"}], None)
    sent, _ = asyncio.run(websocket(app, "/portal/live", known))
    assert sent == closed, "the portal has none"


@pytest.mark.parametrize(
    "base_url", ["https://portal.school.example", "https://Portal.School.example:443/portal"]
)
def test_s14_a_websocket_of_another_origin_is_nobodys(base_url: str) -> None:
    async def open_(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})

    with portal(base_url=base_url, policy=Policy(apps=(App("/open/"),))) as school:
        app = PortalMiddleware(open_, school)
        cookie = f"__Host-narthex={log_in(school).token.expose()}"
        known = {"host": "portal.school.example", "cookie": cookie}
        ours = "https://portal.school.example"
        for origin, is_ours in (
            (None, True),  # a program, and no page
            (ours, True),
            (f"{ours}.evil.example", False),
            ("http://portal.school.example", False),
            ("null", False),
            ("", False),
        ):
            headers = known if origin is None else {**known, "origin": origin}
            sent, visit = asyncio.run(websocket(app, "/open/live", headers))
            assert sent == [{"type": "websocket.accept"}], origin
            assert (visit.session is not None) is is_ours, origin
            assert (visit.profile() is not None) is is_ours, origin


@pytest.mark.parametrize("prefix", ["/diary/", "/diär y/"])
def test_s14_no_spelling_of_a_path_leads_around_the_log_in(
    mounted: TestPortal, prefix: str
) -> None:
    served: list[str] = []

    def page(environ: Any, start_response: Any) -> list[bytes]:
        served.append(environ["PATH_INFO"])
        start_response("200 OK", [])
        return [b""]

    def on_wsgi(path: str, mount: str = "") -> int:
        told: list[int] = []
        environ = {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": mount,
            "PATH_INFO": path.encode().decode("latin-1"),
            "HTTP_HOST": "127.0.0.1:8000",
            "REMOTE_ADDR": "192.0.2.7",
        }
        app = WsgiMiddleware(page, mounted, protect=[prefix])
        list(app(environ, lambda status, headers, error=None: told.append(int(status[:3]))))  # type: ignore[arg-type]
        return told[0]

    on_asgi = PortalMiddleware(hello, mounted, protect=[prefix])
    bare = prefix.strip("/")
    for path in (
        f"/{bare}/x",
        f"//{bare}/x",
        f"/{bare}//x",
        f"/./{bare}/x",
        f"/a/../{bare}/x",
        f"/{bare.upper()}/x",
        f"/{bare}",
    ):
        assert on_wsgi(path) == 401, path
        assert get(on_asgi, quote(path), HOST).status == 401, path
    # Some servers hand on what is no path, and frameworks put the slash before it.
    assert on_wsgi(bare) == 400
    # What whoever asks says of the mount is not believed.
    for mount in ("/x", f"/{bare[:2]}", "/api/api"):
        assert on_wsgi(f"/{bare}/x", mount) == 404, mount
        around = get(below(on_asgi, mount), quote(f"{mount}/{bare}/x"), HOST)
        assert around.status == 404, mount
        sent, _ = asyncio.run(websocket(below(on_asgi, mount), f"{mount}/{bare}/x", HOST))
        assert [one["type"] for one in sent] == ["websocket.close"], mount
    assert served == []
    assert on_wsgi("/other/") == 200
    assert on_wsgi("/other/", "/x") == 200
    assert on_wsgi("") == 200


def test_a53_the_page_of_another_organization_is_not_below_a_mount() -> None:
    apps = (App("/other/"), App("/timetable/", organization="south-high"))
    with portal(base_url="http://127.0.0.1:8000/portal", policy=Policy(apps=apps)) as school:
        claim(school)
        known = HOST | {"cookie": f"narthex={log_in(school).token.expose()}"}
        app = PortalMiddleware(hello, school, protect=["/"])
        assert get(app, "/timetable/x", known).status == 403
        assert get(below(app, "/x"), "/x/timetable/x", known).status == 404
        assert get(below(app, "/other"), "/other/x", known).status == 200


def test_prefixes_are_a_list_of_paths(mounted: TestPortal) -> None:
    for wrong in ("/diary/", ["diary/"]):
        with pytest.raises(InvalidArgument, match="^protect: "):
            PortalMiddleware(hello, mounted, protect=wrong)


def test_en02_wrong_secrets_are_answered_on_a_grid_of_50_ms(mounted: TestPortal) -> None:
    claim(mounted)
    wrong = b'{"login_id": "S-1024", "password": "not the password"}'
    headers = {**HOST, "content-type": "application/json", "sec-fetch-site": "same-origin"}
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/portal/api/v1/session",
        "HTTP_HOST": HOST["host"],
        "HTTP_SEC_FETCH_SITE": "same-origin",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(wrong)),
        "REMOTE_ADDR": "192.0.2.7",
    }
    elapsed = []
    for _ in range(4):
        begun = time.monotonic()
        answer = asyncio.run(
            asgi(PortalApp(mounted), "POST", "/portal/api/v1/session", headers, wrong, "192.0.2.7")
        )
        elapsed.append(time.monotonic() - begun)
        assert answer.json["code"] == "login_failed"
        begun = time.monotonic()
        asked = {**environ, "wsgi.input": io.BytesIO(wrong)}
        list(WsgiApp(mounted)(asked, lambda *told: told))
        elapsed.append(time.monotonic() - begun)
    assert all(once >= 0.05 for once in elapsed), elapsed


def test_a_peer_that_is_no_address_is_nobody_whom_a_policy_names() -> None:
    networks = (NamedNetwork("127.0.0.0/8", people=400),)
    policy = Policy(attempts=AttemptPolicy(networks=networks, source_attempts_max=2))
    with portal(base_url="http://127.0.0.1:8000/portal", policy=policy) as school:
        app = PortalApp(school)
        headers = {**HOST, "content-type": "application/json", "sec-fetch-site": "same-origin"}
        wrong = b'{"login_id": "S-1", "password": "not the password"}'

        def status(peer: str) -> int:
            target = "/portal/api/v1/session"
            return asyncio.run(asgi(app, "POST", target, headers, wrong, peer)).status

        first = status("testclient")
        assert [status("testclient"), status("testclient")] == [first, 429]
        assert [status("127.0.0.1") for _ in range(4)] == [first] * 4


def test_a_cookie_that_no_portal_made_is_nobody_in_the_middleware(mounted: TestPortal) -> None:
    app = PortalMiddleware(hello, mounted)
    for value in ("A" * 64, "x", "", "A" * 7000):
        headers = {**NAVIGATION, "cookie": f"narthex={value}"}
        assert get(app, "/diary/", headers).body == b"hello stranger"


def test_activity_on_the_hosts_pages_keeps_the_session(mounted: TestPortal) -> None:


    app, known = PortalMiddleware(hello, mounted), cookie(mounted)
    for _ in range(3):
        mounted.clock.advance(timedelta(hours=3))
        assert get(app, "/diary/", {**NAVIGATION, **known}).body == b"hello Ada"
    polling = {**HOST, "sec-fetch-mode": "cors", "sec-fetch-site": "same-origin", **known}
    for _ in range(2):
        mounted.clock.advance(timedelta(hours=2))
        last = get(app, "/diary/", polling)
    assert last.body == b"hello stranger", "what a script fetches is no activity"


def test_a_head_that_a_page_refuses_has_no_body(mounted: TestPortal) -> None:
    def page(environ: Any, start_response: Any) -> list[bytes]:
        wsgi_visit_of(environ).require()
        return []

    app = WsgiMiddleware(page, mounted)
    by_page, whole = (wsgi(app, method, "/page", HOST, b"", "192.0.2.7") for method in ("HEAD", "GET"))
    assert (by_page.status, by_page.body) == (401, b"")
    assert by_page.header("content-length") == whole.header("content-length") == str(len(whole.body))
