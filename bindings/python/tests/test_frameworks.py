"""FastAPI, Starlette and Flask: what their users expect."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from flask import Flask, render_template_string
from starlette.applications import Starlette
from starlette.authentication import requires
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.dispatcher import DispatcherMiddleware

import narthex.asgi
import narthex.wsgi
from narthex import App, CannotOpen, InvalidArgument, Policy, Portal
from narthex._visit import Answered, Visit
from narthex.asgi import Send, visit_of
from narthex.fastapi import Anybody, FreshPerson, Person, PortalMiddleware
from narthex.flask import Narthex, current_visit, login_required
from narthex.starlette import PortalBackend
from narthex.testing import ADA, TestPortal, cookies, log_in, portal

ORIGIN = "http://127.0.0.1:8000"
PAGE = {"accept": "text/html", "sec-fetch-mode": "navigate", "sec-fetch-user": "?1"}


@pytest.fixture
def school() -> Iterator[TestPortal]:
    policy = Policy(apps=(App("/diary/"),))
    with portal(base_url=f"{ORIGIN}/portal", policy=policy) as opened:
        yield opened


def cookie(school: TestPortal) -> dict[str, str]:
    return {"cookie": f"narthex={log_in(school).token.expose()}"}


def leads_to_log_in(client: TestClient, path: str) -> None:
    led = client.get(path, headers=PAGE)
    assert led.status_code == 303
    assert led.headers["location"].startswith(f"/portal/login?return_to={path}")
    script = client.get(path, headers={"sec-fetch-mode": "cors"})
    assert (script.status_code, script.json()["code"]) == (401, "not_logged_in")


def test_fastapi_optional_required_and_fresh(school: TestPortal) -> None:
    app = FastAPI()
    app.add_middleware(PortalMiddleware, portal=school)

    @app.get("/diary/anybody")
    async def anybody(visit: Anybody) -> str:
        return "known" if visit.session else "stranger"

    @app.get("/diary/person")
    async def person(visit: Person) -> str:
        profile = await visit.aprofile()
        return profile.login_id if profile else ""

    @app.get("/diary/fresh")
    def just_now(visit: FreshPerson) -> str:
        return "fresh"

    client = TestClient(app, base_url=ORIGIN, follow_redirects=False)
    assert client.get("/diary/anybody").json() == "stranger"
    leads_to_log_in(client, "/diary/person")

    known = cookie(school)
    assert client.get("/diary/anybody", headers=known).json() == "known"
    assert client.get("/diary/person", headers=known).json() == "S-1024"
    assert client.get("/diary/fresh", headers=known).json() == "fresh"
    school.clock.advance(timedelta(minutes=16))
    assert client.get("/diary/fresh", headers=known | PAGE).status_code != 200
    assert client.get("/portal/login").status_code == 200

    document = client.get("/openapi.json").json()
    scheme = document["components"]["securitySchemes"]["narthex"]
    assert (scheme["type"], scheme["in"]) == ("apiKey", "cookie")
    assert "On plain http over loopback: `narthex`." in scheme["description"]
    assert "`cookie_suffix`" in scheme["description"]
    assert document["paths"]["/diary/person"]["get"]["security"] == [{"narthex": []}]


def test_fastapi_websockets_know_who_is_there_and_are_closed_to_who_is_not(
    school: TestPortal,
) -> None:
    app = FastAPI()
    app.add_middleware(PortalMiddleware, portal=school)

    @app.websocket("/diary/live")
    async def live(websocket: WebSocket, visit: Person) -> None:
        await websocket.accept()
        profile = await visit.aprofile()
        await websocket.send_text(profile.login_id if profile else "")
        await websocket.close()

    @app.websocket("/diary/anybody")
    async def anybody(websocket: WebSocket, visit: Anybody) -> None:
        await websocket.accept()
        await websocket.send_text("known" if visit.session else "stranger")
        visit.require()
        await websocket.close()

    @app.websocket("/diary/fresh")
    async def just_now(websocket: WebSocket, visit: FreshPerson) -> None:
        await websocket.accept()
        await websocket.send_text("fresh")
        await websocket.close()

    client = TestClient(app, base_url=ORIGIN)

    def hears(path: str, headers: dict[str, str]) -> str:
        with client.websocket_connect(path, headers=headers) as websocket:
            return websocket.receive_text()

    def closed(path: str, headers: dict[str, str]) -> tuple[int, str]:
        with pytest.raises(WebSocketDisconnect) as refused:
            hears(path, headers)
        return refused.value.code, refused.value.reason

    known = cookie(school)
    foreign = {**known, "origin": "https://evil.example"}
    assert hears("/diary/live", known) == "S-1024"
    assert hears("/diary/live", {**known, "origin": ORIGIN}) == "S-1024"
    assert hears("/diary/fresh", known) == "fresh"
    assert hears("/diary/anybody", known) == "known"
    for headers in ({}, foreign, {"cookie": "narthex=no-token"}):
        assert closed("/diary/live", headers) == (1008, "not_logged_in")
        assert closed("/diary/fresh", headers) == (1008, "not_logged_in")
        assert hears("/diary/anybody", headers) == "stranger"
    # A route that asks for somebody itself, after it is open.
    with client.websocket_connect("/diary/anybody") as websocket:
        assert websocket.receive_text() == "stranger"
        with pytest.raises(WebSocketDisconnect) as refused:
            websocket.receive_text()
        assert refused.value.code == 1008
    school.clock.advance(timedelta(minutes=16))
    assert closed("/diary/fresh", known) == (1008, "reauthentication_needed")
    assert hears("/diary/live", known) == "S-1024"


def test_starlette_knows_the_user_and_the_scopes(school: TestPortal) -> None:
    @requires(["authenticated", "student:north-high"])
    async def page(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"{request.user.display_name} {request.user.identity}")

    @requires("teacher:north-high")
    async def teachers(request: Request) -> PlainTextResponse:
        return PlainTextResponse("staff")

    @requires("authenticated")
    async def live(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(f"{websocket.user.display_name} {websocket.user.identity}")
        await websocket.close()

    app = Starlette(
        routes=[
            Route("/diary/", page),
            Route("/diary/teachers", teachers),
            WebSocketRoute("/diary/live", live),
        ],
        middleware=[
            Middleware(PortalMiddleware, portal=school),
            Middleware(AuthenticationMiddleware, backend=PortalBackend()),
        ],
    )
    client = TestClient(app, base_url=ORIGIN)
    assert client.get("/diary/").status_code == 403
    known = cookie(school)
    account = log_in(school).session.account
    assert client.get("/diary/", headers=known).text == f"Ada Byron {account}"
    assert client.get("/diary/teachers", headers=known).status_code == 403

    def hears(headers: dict[str, str]) -> str:
        with client.websocket_connect("/diary/live", headers=headers) as websocket:
            return websocket.receive_text()

    assert hears(known) == f"Ada Byron {account}"
    with pytest.raises(WebSocketDisconnect):
        hears({})
    with pytest.raises(WebSocketDisconnect):
        hears({**known, "origin": "https://evil.example"})


def test_flask_decorator_proxies_and_header(school: TestPortal) -> None:
    app = Flask(__name__)
    with pytest.raises(InvalidArgument, match="portal"):
        Narthex(app)
    Narthex(app, school)

    @app.get("/diary/")
    @login_required
    def diary() -> str:
        return render_template_string("{{ narthex_header() }}{{ name }}", name=current_visit.profile())

    @app.get("/diary/anybody")
    def anybody() -> str:
        return "known" if current_visit.session else "stranger"

    @app.get("/diary/slow")
    @login_required
    async def slow() -> str:
        return "waited"

    client = app.test_client(use_cookies=False)
    place = {"base_url": ORIGIN}
    assert client.get("/diary/anybody", **place).text == "stranger"
    led = client.get("/diary/?week=3", headers=PAGE, **place)
    assert led.status_code == 303
    assert led.location.startswith("/portal/login?return_to=/diary/%3Fweek%3D3")
    assert client.get("/diary/", headers={"sec-fetch-mode": "cors"}, **place).status_code == 401
    known = cookie(school)
    page = client.get("/diary/", headers=known | PAGE, **place)
    assert page.status_code == 200
    assert "<narthex-header" in page.text and ADA.given_name in page.text
    assert page.headers["cache-control"] == "no-store"
    assert client.get("/diary/anybody", headers=known, **place).text == "known"
    assert client.get("/diary/slow", headers=known | PAGE, **place).text == "waited"
    assert client.get("/portal/login", **place).status_code == 200


def test_fastapi_an_application_mounted_in_another_leads_to_the_log_in(school: TestPortal) -> None:
    inner = FastAPI()

    @inner.get("/person")
    def person(visit: Person) -> str:
        return "in"

    @inner.get("/broken")
    def broken(visit: Person) -> str:
        raise ZeroDivisionError

    @inner.get("/broken/anybody")
    def broken_anybody(visit: Anybody) -> str:
        with pytest.raises(Answered):
            visit.require()
        raise ZeroDivisionError

    @inner.get("/closed/anybody")
    def closed_anybody(visit: Anybody) -> PlainTextResponse:
        with pytest.raises(Answered):
            visit.require()
        return PlainTextResponse("closed", status_code=503)

    app = FastAPI()
    app.add_middleware(PortalMiddleware, portal=school)
    app.mount("/diary", inner)
    client = TestClient(
        app, base_url=ORIGIN, follow_redirects=False, raise_server_exceptions=False
    )
    leads_to_log_in(client, "/diary/person")
    known = cookie(school)
    assert client.get("/diary/person", headers=known).json() == "in"
    # What is broken stays so, and is told once.
    assert client.get("/diary/broken", headers=known).status_code == 500
    hidden = client.get("/diary/broken/anybody", headers=PAGE)
    assert (hidden.status_code, hidden.text) == (500, "Internal Server Error")
    shut = client.get("/diary/closed/anybody", headers=PAGE)
    assert (shut.status_code, shut.text) == (503, "closed")


def test_a_visit_says_who_asks_as_the_trusted_proxies_tell_it() -> None:
    app = FastAPI()
    with portal(base_url=f"{ORIGIN}/portal", trusted_proxies=["192.0.2.9"]) as school:
        app.add_middleware(PortalMiddleware, portal=school)
        known_browser = log_in(school).known_browser

        @app.get("/asker")
        def asker(visit: Anybody) -> list[str | None]:
            asker, again = visit.asker, visit.asker
            return [asker.source, asker.client_label, asker.known_browser, asker.request_id, again.request_id]

        client = TestClient(app, base_url=ORIGIN, client=("192.0.2.9", 50_000))
        headers = {
            "x-forwarded-for": "192.0.2.44, 2001:db8:1:2:3::4",
            "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "cookie": f"narthex-known={known_browser}",
        }
        said = client.get("/asker", headers=headers).json()
        assert said[:3] == ["2001:db8:1:2::/64", "Firefox, Linux", known_browser]
        assert said[3]
        assert said[3] == said[4], "one request is one in the audit"
        elsewhere = TestClient(app, base_url=ORIGIN, client=("192.0.2.8", 50_000))
        assert elsewhere.get("/asker", headers=headers).json()[0] == "192.0.2.8"


def test_flask_a_project_that_catches_everything_leads_to_the_log_in(school: TestPortal) -> None:
    app = Flask(__name__)
    app.config["TRAP_HTTP_EXCEPTIONS"] = True
    Narthex(app, school)

    @app.get("/diary/")
    @login_required
    def diary() -> str:
        raise AssertionError("nobody comes here")

    assert app.test_client().get("/diary/", headers=PAGE, base_url=ORIGIN).status_code == 303


def test_flask_protects_prefixes_and_says_who_brings_a_visit(school: TestPortal) -> None:
    app = Flask(__name__)

    @app.get("/diary/")
    def diary() -> str:
        return "in"

    with app.test_request_context("/diary/"), pytest.raises(RuntimeError, match=r"flask\.Narthex"):
        current_visit.header()
    extension = Narthex(protect=["/diary/"])
    extension.init_app(app, school)
    client = app.test_client(use_cookies=False)
    assert client.get("/diary/", headers=PAGE, base_url=ORIGIN).status_code == 303
    assert client.get("/diary/", headers=cookie(school), base_url=ORIGIN).text == "in"


def test_what_goes_on_under_a_new_token_is_refused_to_the_session_of_a_page(school: TestPortal) -> None:
    app = FastAPI()
    app.add_middleware(PortalMiddleware, portal=school)

    @app.get("/change")
    def change(visit: Person) -> list[str]:
        refused = []
        session, asker = visit.require(), visit.asker
        for act in (
            lambda: school.change_password(session, current=ADA.password, new="x" * 20, asker=asker),
            lambda: school.reauthenticate(session, ADA.password, asker),
            lambda: school.end_other_families(session, asker),
            lambda: school.log_out(session, asker),
        ):
            with pytest.raises(InvalidArgument) as error:
                act()
            refused.append(error.value.argument)
        # What changes no token is done.
        school.change_details(session, preferred_name="Countess", asker=asker)
        return refused

    client = TestClient(app, base_url=ORIGIN, cookies=cookies(school))
    for _ in range(2):
        assert client.get("/change").json() == ["session"] * 4


def test_the_test_clients_of_frameworks_take_the_cookie(school: TestPortal) -> None:
    app = Flask(__name__)
    Narthex(app, school)

    @app.get("/diary/")
    @login_required
    def diary() -> str:
        return "in"

    client = app.test_client()
    for name, value in cookies(school).items():
        client.set_cookie(name, value, domain="127.0.0.1")
    assert client.get("/diary/", base_url=ORIGIN).text == "in"


def test_a_portal_without_pages_is_refused_where_it_is_mounted() -> None:
    with Portal.open("memory:") as school:
        mounts = (
            lambda: PortalMiddleware(FastAPI(), school),
            lambda: narthex.asgi.PortalApp(school),
            lambda: narthex.wsgi.PortalApp(school),
            lambda: Narthex(Flask(__name__), school),
        )
        for mount in mounts:
            with pytest.raises(CannotOpen, match="base_url="):
                mount()


def test_flask_an_application_mounted_in_another_leads_to_the_log_in(school: TestPortal) -> None:
    app, inner = Flask(__name__), Flask("inner")

    @inner.get("/")
    @login_required
    def diary() -> str:
        return "in" if current_visit.session else "out"

    @inner.errorhandler(HTTPException)
    def told(error: HTTPException) -> tuple[str, int]:
        return "an error", error.code or 500

    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/diary": inner})  # type: ignore[method-assign]
    Narthex(app, school)
    client = app.test_client(use_cookies=False)
    led = client.get("/diary/", headers=PAGE, base_url=ORIGIN)
    assert led.status_code == 303
    assert led.location.startswith("/portal/login?return_to=/diary/")
    assert client.get("/diary/nowhere", base_url=ORIGIN).text == "an error"
    assert client.get("/diary/", headers=cookie(school), base_url=ORIGIN).text == "in"


def test_what_adds_its_mount_itself_is_not_led_around(school: TestPortal) -> None:
    mounting = FastAPI()
    PortalMiddleware(mounting, school, protect=["/page/"])
    mounting.root_path = "/api"
    for protect in (["/page/"], []):
        with pytest.raises(InvalidArgument, match="/api"):
            PortalMiddleware(mounting, school, protect)
        with pytest.raises(InvalidArgument, match="/api"):
            PortalMiddleware(CORSMiddleware(mounting), school, protect)
    # Others call their folder so.
    PortalMiddleware(InAFolder(), school, protect=["/page/"])
    with portal(base_url=f"{ORIGIN}/portal") as nothing_named:
        PortalMiddleware(mounting, nothing_named)


class InAFolder:
    root_path = "/srv/school"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("nobody comes here")


@pytest.mark.filterwarnings("ignore:.*root_path.*deprecated")
@pytest.mark.parametrize("inside", [True, False])
def test_a_mount_that_a_proxy_takes_out_of_the_path_counts_as_if_it_were_there(
    school: TestPortal, inside: bool
) -> None:
    app = FastAPI(root_path="/api" if inside else "")

    @app.get("/page/")
    def page(visit: Anybody) -> str:
        return "in" if visit.session else "out"

    app.add_middleware(PortalMiddleware, portal=school, protect=["/api/page/"])
    client = TestClient(
        app, base_url=ORIGIN, root_path="" if inside else "/api", follow_redirects=False
    )
    for path in ("/page/", "/api/page/"):
        led = client.get(path, headers=PAGE)
        assert led.status_code == 303, path
        assert client.get(path, headers=cookie(school)).json() == "in"


def sent_by(
    school: TestPortal, page: Callable[[Visit, list[Any], Send], Awaitable[None]]
) -> tuple[list[Any], BaseException | None]:
    """What leaves the middleware while ``page`` answers, and what it raises."""
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Send) -> None:
        await page(visit_of(scope), sent, send)

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    scope = {
        "type": "http", "method": "GET", "path": "/diary/", "query_string": b"", "client": None,
        "headers": [(b"host", b"127.0.0.1:8000")],
    }  # fmt: skip
    try:
        asyncio.run(PortalMiddleware(app, school)(scope, receive, send))
    except (ZeroDivisionError, Answered) as error:
        return sent, error
    return sent, None


def test_an_application_keeps_its_own_page_of_an_error(school: TestPortal) -> None:
    async def page(visit: Visit, sent: list[Any], send: Send) -> None:
        visit.refused("not_logged_in")
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b"my own page"})
        raise ZeroDivisionError

    sent, raised = sent_by(school, page)
    assert isinstance(raised, ZeroDivisionError)
    assert [message.get("body") for message in sent] == [None, b"my own page"]


def test_of_an_answer_only_so_much_is_held_back(school: TestPortal) -> None:
    piece = {"type": "http.response.body", "body": b"x" * 1024, "more_body": True}
    left: list[int] = []

    async def page(visit: Visit, sent: list[Any], send: Send) -> None:
        visit.refused("not_logged_in")
        await send({"type": "http.response.start", "status": 503, "headers": []})
        for _ in range(70):
            await send(dict(piece))
            left.append(len(sent))
        raise visit.refused("not_logged_in")

    sent, raised = sent_by(school, page)
    assert isinstance(raised, Answered), "too late to lead anybody away"
    assert left == [*[0] * 64, *range(66, 72)]
    assert len(sent) == 71
