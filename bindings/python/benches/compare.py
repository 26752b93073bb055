"""A session check here and elsewhere, and what a middleware adds to a request: one table each.

``cargo xtask bench-python`` builds an optimized wheel and runs this; ``--quick`` only shows that it
runs. Every candidate takes its turn in every round. What counts is the time of the processor, of all
threads, in the best round: so the figures hold on a machine that does other things too.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import sys
import tempfile
import time
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, MutableMapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import django
from django.conf import settings
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from starlette.middleware.sessions import SessionMiddleware

import narthex
import narthex.asgi
import narthex.wsgi
from narthex.testing import ADA, HOME, claim

SECRET = "for benchmarks"
ORIGIN = "http://127.0.0.1:8000"
FORTNIGHT_S = 14 * 24 * 3600

Work = Callable[[int], None]
"""Does it so many times."""


class Candidate(NamedTuple):
    name: str
    work: Work
    loops: int
    """How often in a round."""


def measured(candidates: list[Candidate], rounds: int) -> dict[str, float]:
    """Nanoseconds for one, by name."""
    best = {one.name: float("inf") for one in candidates}
    for _ in range(rounds):
        for one in candidates:
            begun = time.process_time_ns()
            one.work(one.loops)
            each = (time.process_time_ns() - begun) / one.loops
            best[one.name] = min(best[one.name], each)
    return best


def repeated(once: Callable[[], object]) -> Work:
    def work(times: int) -> None:
        for _ in range(times):
            once()

    return work


Row = tuple[str, str, str, str]


def table(title: str, heads: Row, rows: list[Row]) -> None:
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(4)]
    rule = tuple("-" * width for width in widths)
    print(f"\n{title}\n")
    for row in [heads, rule, *rows]:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(f"| {' | '.join(cells)} |")


def shown(nanoseconds: float) -> str:
    return f"{nanoseconds:,.0f} ns" if nanoseconds < 10_000 else f"{nanoseconds / 1000:,.1f} us"


# Sessions


def django_stores(folder: Path) -> dict[str, Callable[[], object]]:
    """Loads the session of a request, as ``request.user`` makes Django do."""
    contrib = ("contenttypes", "auth", "sessions")
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "db.sqlite3")}
    settings.configure(
        SECRET_KEY=SECRET,
        INSTALLED_APPS=[f"django.contrib.{name}" for name in contrib],
        DATABASES={"default": database},
        CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        USE_TZ=True,
    )
    django.setup()
    import_module("django.core.management").call_command("migrate", verbosity=0)
    found: dict[str, Callable[[], object]] = {}
    for name in ("cache", "cached_db", "db", "signed_cookies"):
        kind = import_module(f"django.contrib.sessions.backends.{name}").SessionStore
        kept = kind()
        kept["_auth_user_id"] = "1024"
        kept.save()

        def load(kind: Any = kind, key: str = kept.session_key) -> object:
            return kind(key)["_auth_user_id"]

        assert load() == "1024"
        found[f"Django sessions, {name}"] = load
    return found


def signed_cookies() -> dict[str, Callable[[], object]]:
    """What Starlette's middleware does with its cookie, and itsdangerous with a token."""
    signer = TimestampSigner(SECRET)
    cookie = signer.sign(b64encode(json.dumps({"user": "1024"}).encode()))
    serializer = URLSafeTimedSerializer(SECRET)
    token = serializer.dumps({"user": "1024"})
    return {
        "Starlette, signed cookie": lambda: json.loads(
            b64decode(signer.unsign(cookie, max_age=FORTNIGHT_S))
        ),
        "itsdangerous, timed token": lambda: serializer.loads(token, max_age=FORTNIGHT_S),
    }


def sessions(one: narthex.Portal, several: narthex.Portal, folder: Path, quick: bool) -> None:
    warm = one.log_in(ADA.login_id, ADA.password, asker=HOME).token.expose()
    asked = several.log_in(ADA.login_id, ADA.password, asker=HOME).token.expose()
    scale = 1 if quick else 10
    candidates = [
        Candidate("one", repeated(lambda: one.verify_session(warm)), 2000 * scale),
        Candidate("several", repeated(lambda: several.verify_session(asked)), 200 * scale),
    ]
    for name, once in {**django_stores(folder), **signed_cookies()}.items():
        candidates.append(Candidate(name, repeated(once), 20 * scale))
    found = measured(candidates, 3 if quick else 25)
    ours, asking = found.pop("one"), found.pop("several")
    rows = [
        (name, shown(takes), f"{takes / ours:.1f}", f"{takes / asking:.1f}")
        for name, takes in found.items()
    ]
    title = f"verify_session: {shown(ours)} with shared=False, {shown(asking)} with shared=True"
    table(title, ("peer", "takes", "times shared=False", "times shared=True"), rows)


# Middleware

Scope = MutableMapping[str, Any]
Send = Callable[[Any], Awaitable[None]]


async def bare(scope: Scope, receive: Any, send: Send) -> None:
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


async def protected(scope: Scope, receive: Any, send: Send) -> None:
    narthex.asgi.visit_of(scope).require()
    await bare(scope, receive, send)


async def with_cookie(scope: Scope, receive: Any, send: Send) -> None:
    assert scope["session"]["user"] == "1024"
    await bare(scope, receive, send)


def bare_wsgi(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


def protected_wsgi(environ: Any, start_response: Any) -> list[bytes]:
    narthex.wsgi.visit_of(environ).require()
    return bare_wsgi(environ, start_response)


HEADERS = [
    (b"host", b"127.0.0.1:8000"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    (b"accept", b"text/html,application/xhtml+xml"),
    (b"accept-language", b"en-US,en;q=0.5"),
    (b"sec-fetch-mode", b"cors"),
    (b"sec-fetch-site", b"same-origin"),
]


def served(app: Any, cookie: str) -> Work:
    """Requests to an ASGI application, one after the other, in one event loop."""

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        assert message.get("status", 200) == 200, message

    async def many(times: int) -> None:
        for _ in range(times):
            scope = {
                "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
                "scheme": "http", "path": "/diary/monday", "raw_path": b"/diary/monday",
                "query_string": b"", "root_path": "", "client": ("127.0.0.1", 5000),
                "server": ("127.0.0.1", 8000), "headers": [*HEADERS, (b"cookie", cookie.encode())],
            }  # fmt: skip
            await app(scope, receive, send)

    return lambda times: asyncio.run(many(times))


def served_wsgi(app: Any, cookie: str) -> Work:
    """Requests to a WSGI application, one after the other."""
    said = {f"HTTP_{name.decode().upper().replace('-', '_')}": text.decode() for name, text in HEADERS}

    def start_response(status: str, headers: Any, error: Any = None) -> None:
        assert status == "200 OK", status

    def once() -> object:
        environ = {
            "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/diary/monday",
            "QUERY_STRING": "", "REMOTE_ADDR": "127.0.0.1", "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000", "wsgi.input": io.BytesIO(), "wsgi.url_scheme": "http",
            "HTTP_COOKIE": cookie, **said,
        }  # fmt: skip
        return b"".join(app(environ, start_response))

    return repeated(once)


def middleware(one: narthex.Portal, several: narthex.Portal, quick: bool) -> None:
    signed = TimestampSigner(SECRET).sign(b64encode(json.dumps({"user": "1024"}).encode()))
    warm, asked = (
        f"narthex={portal.log_in(ADA.login_id, ADA.password, asker=HOME).token.expose()}"
        for portal in (one, several)
    )
    asgi, wsgi = narthex.asgi.PortalMiddleware, narthex.wsgi.PortalMiddleware
    starlette = SessionMiddleware(with_cookie, secret_key=SECRET)
    works = {
        "bare ASGI": served(bare, warm),
        "narthex.asgi, shared=False": served(asgi(protected, one), warm),
        "narthex.asgi, shared=True": served(asgi(protected, several), asked),
        "Starlette's SessionMiddleware": served(starlette, f"session={signed.decode()}"),
        "bare WSGI": served_wsgi(bare_wsgi, warm),
        "narthex.wsgi, shared=False": served_wsgi(wsgi(protected_wsgi, one), warm),
        "narthex.wsgi, shared=True": served_wsgi(wsgi(protected_wsgi, several), asked),
    }
    loops = 100 if quick else 1000
    candidates = [Candidate(name, work, loops) for name, work in works.items()]
    found = measured(candidates, 3 if quick else 25)
    peer = found["Starlette's SessionMiddleware"] - found["bare ASGI"]
    rows = []
    for name, takes in found.items():
        if not name.startswith("bare"):
            adds = takes - found["bare WSGI" if "wsgi" in name else "bare ASGI"]
            rows.append((name, shown(takes), shown(adds), f"{adds / peer:.1f}"))
    title = "What a middleware adds to a request to a page that asks who is there"
    table(title, ("middleware", "request", "adds", "times Starlette's"), rows)


def opened(folder: Path, shared: bool) -> narthex.Portal:
    """A school on a file of its own, with one person who has claimed."""
    person = narthex.RosterPerson(
        source_id="1", login_id=ADA.login_id, given_name=ADA.given_name,
        family_name=ADA.family_name, birthdate=ADA.birthdate,
        memberships=(narthex.Membership("north-high", "student"),),
    )  # fmt: skip
    north = narthex.Organization("north-high", "North High")
    portal = narthex.Portal.open(
        f"redb://{folder}/{shared}/portal.redb",
        shared=shared,
        base_url=f"{ORIGIN}/portal",
        policy=narthex.Policy(apps=(narthex.App("/diary/"),)),
    )
    portal.import_roster(
        narthex.RosterBatch(source="office", organizations=(north,), people=(person,))
    )
    claim(portal, ADA)
    return portal


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="a few rounds: does it run")
    quick: bool = arguments.parse_args().quick
    print(f"Python {sys.version.split()[0]}, Django {django.__version__}, narthex on redb")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with opened(folder, shared=False) as one, opened(folder, shared=True) as several:
            sessions(one, several, folder, quick)
            middleware(one, several, quick)


if __name__ == "__main__":
    main()
