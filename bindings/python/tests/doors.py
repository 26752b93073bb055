"""The ways in that the scenarios of ``core/conformance`` are run through."""

from __future__ import annotations

import asyncio
import io
import json
import threading
from collections.abc import Callable
from datetime import timedelta
from http.cookies import SimpleCookie
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

import narthex.asgi
import narthex.wsgi
from narthex import (
    BrowserSecret,
    Busy,
    ClaimTicket,
    InvalidArgument,
    Portal,
    RecoveryTicket,
    Refused,
    Session,
)
from narthex.testing import around

Facts = dict[str, Any]

DETAILS = ("preferred_name", "email", "phone", "language")

BASE_URL = "https://portal.school.example"


def organization_of(location: str) -> str | None:
    parts = location.split("/")
    return parts[2] if location.startswith("/o/") and len(parts) > 3 else None


class NoLocation(Exception):
    """A page that one cannot come back to."""


class Led(Exception):
    """The answer leads to the log-in page, whose URL names a location."""

    def __init__(self, refusal: Refused, location: str) -> None:
        self.refusal, self.location = refusal, location


class ApiJar:
    """What one browser keeps."""

    def __init__(self) -> None:
        self.session: str | None = None
        self.claim: BrowserSecret | None = None
        self.tickets: dict[str, str] = {}
        self.family = ""
        self.known: str | None = None
        self.recovery: BrowserSecret | None = None
        self.recoveries: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self.notices: Any = None


def heard(notices: narthex.Notices | None) -> list[str]:
    """In the words of the scenarios."""
    told = [] if notices is None else notices.poll()
    return [one.kind if one.reason is None else f"{one.kind}: {one.reason}" for one in told]


class ApiDoor:
    """An application that has its own screens and calls :class:`narthex.Portal`."""

    way = "python"

    def __init__(self) -> None:
        self.portal: Portal
        self.jars: dict[str, ApiJar] = {}
        self.lock = threading.Lock()

    def open(self, engine: Any) -> None:
        self.portal = around(engine)

    def jar(self, browser: str) -> ApiJar:
        with self.lock:
            return self.jars.setdefault(browser, ApiJar())

    def ask(self, browser: str, network: str, request: str) -> str:
        said = json.loads(request)
        jar = self.jar(browser)
        asker = narthex.Asker(source=network, known_browser=jar.known)
        try:
            facts = getattr(self, said.pop("do"))(jar, asker, **said)
            return json.dumps({"outcome": "ok", "facts": facts, "shown": str(facts)})
        except (InvalidArgument, NoLocation):
            return json.dumps({"outcome": "invalid"})
        except Busy as busy:
            return json.dumps({"outcome": "busy", "shown": str(busy)})
        except Refused as refusal:
            return json.dumps(self.refused(refusal, {}))
        except Led as led:
            return json.dumps(self.refused(led.refusal, {"login_page_for": led.location}))

    @staticmethod
    def refused(refusal: Refused, facts: Facts) -> dict[str, Any]:
        if refusal.reason is not None:
            facts["reason"] = refusal.reason
        if refusal.code in ("password_unacceptable", "answers_unacceptable"):
            facts["issues"] = [issue.code for issue in refusal.issues]
        if refusal.code == "throttled" and refusal.retry_after is not None:
            facts["retry_after_s"] = int(refusal.retry_after.total_seconds())
        shown = f"{refusal} {refusal.reason} {refusal.retry_after} {refusal.issues}"
        return {"outcome": refusal.code, "facts": facts, "shown": shown}

    # Claim

    @staticmethod
    def of_ticket(ticket: ClaimTicket) -> Facts:
        return {"login_id": ticket.login_id, "given_name": ticket.given_name}

    def begin_claim(
        self, jar: ApiJar, asker: Any, claim: str, given_name: str, family_name: str,
        birthdate: str, login_id: str, claim_code: str,
    ) -> Facts:  # fmt: skip
        # An application asks for what its portal needs before it asks the portal.
        if not claim_code and self.portal.claim_code_required:
            raise InvalidArgument("claim_code", "is missing")
        jar.claim = jar.claim or BrowserSecret.generate()
        ticket = self.portal.begin_claim(
            given_name=given_name, family_name=family_name, birthdate=birthdate,
            login_id=login_id, claim_code=claim_code, browser=jar.claim, asker=asker,
        )  # fmt: skip
        jar.tickets[claim] = ticket.id
        return self.of_ticket(ticket)

    def ticket(self, jar: ApiJar, claim: str, ticket_of: str | None) -> ClaimTicket:
        holder = jar if ticket_of is None else self.jar(ticket_of)
        id = holder.tickets.get(claim)
        if id is None or jar.claim is None:
            raise Refused("claim_expired")
        return self.portal.claim_ticket(id, jar.claim)

    def claim_password(
        self, jar: ApiJar, asker: Any, claim: str, ticket_of: str | None, password: str
    ) -> Facts:
        ticket = self.ticket(jar, claim, ticket_of)
        return self.of_ticket(self.portal.set_claim_password(ticket, password))

    def claim_answers(
        self, jar: ApiJar, asker: Any, claim: str, ticket_of: str | None,
        answers: list[tuple[str, str]],
    ) -> Facts:  # fmt: skip
        ticket = self.ticket(jar, claim, ticket_of)
        done = self.portal.finish_claim(ticket, answers=answers, asker=asker)
        return {"login_id": done.login_id, "given_name": done.given_name}

    def abandon_claim(self, jar: ApiJar, asker: Any, claim: str) -> Facts:
        self.portal.abandon_claim(self.ticket(jar, claim, None))
        return {}

    # Recovery

    @staticmethod
    def of_recovery(ticket: RecoveryTicket) -> Facts:
        asked = [question.id for question in ticket.questions]
        own = {"login_id": ticket.login_id, "given_name": ticket.given_name}
        return {**own, "questions": asked}

    def begin_recovery(
        self, jar: ApiJar, asker: Any, recovery: str, login_id: str, code: str
    ) -> Facts:
        jar.recovery = jar.recovery or BrowserSecret.generate()
        ticket = self.portal.begin_recovery(login_id, code, browser=jar.recovery, asker=asker)
        jar.recoveries[recovery] = ticket.id
        return self.of_recovery(ticket)

    def recovery(self, jar: ApiJar, recovery: str, ticket_of: str | None) -> RecoveryTicket:
        holder = jar if ticket_of is None else self.jar(ticket_of)
        id = holder.recoveries.get(recovery)
        if id is None or jar.recovery is None:
            raise Refused("recovery_expired")
        return self.portal.recovery_ticket(id, jar.recovery)

    def recovery_answers(
        self, jar: ApiJar, asker: Any, recovery: str, ticket_of: str | None,
        answers: list[tuple[str, str]],
    ) -> Facts:  # fmt: skip
        ticket = self.recovery(jar, recovery, ticket_of)
        if ticket.questions:
            ticket = self.portal.answer_recovery_questions(ticket, answers, asker)
        return self.of_recovery(ticket)

    def recovery_password(
        self, jar: ApiJar, asker: Any, recovery: str, ticket_of: str | None, password: str
    ) -> Facts:
        ticket = self.recovery(jar, recovery, ticket_of)
        done = self.portal.finish_recovery(ticket, password, asker)
        return {"login_id": done.login_id, "given_name": done.given_name}

    def reauthenticate(self, jar: ApiJar, asker: Any, password: str) -> Facts:
        again = self.portal.reauthenticate(self.session(jar), password, asker)
        jar.session = again.token.expose()
        return {}

    def set_questions(self, jar: ApiJar, asker: Any, answers: list[tuple[str, str]]) -> Facts:
        self.portal.set_questions(self.session(jar), answers, asker)
        return {}

    def renew_recovery_codes(self, jar: ApiJar, asker: Any) -> Facts:
        return {"codes": list(self.portal.renew_recovery_codes(self.session(jar), asker).codes)}

    def sessions(self, jar: ApiJar, asker: Any) -> Facts:
        return {"sessions": len(self.portal.families(self.session(jar)))}

    def end_session(self, jar: ApiJar, asker: Any, of: str) -> Facts:
        other = self.jar(of).session
        if other is None:
            raise Refused("not_permitted")
        # What a person sees in the list of browsers, whatever became of the session meanwhile.
        self.portal.end_family(self.session(jar), self.jar(of).family, asker)
        return {}

    def end_other_sessions(self, jar: ApiJar, asker: Any) -> Facts:
        jar.session = self.portal.end_other_families(self.session(jar), asker).token.expose()
        return {}

    # Sessions

    def log_in(
        self, jar: ApiJar, asker: Any, login_id: str, password: str, shared_computer: bool,
        **location: str | None,
    ) -> Facts:  # fmt: skip
        came_from, return_to = location["from"], location["return_to"]
        begun = self.portal.log_in(
            login_id, password, shared_computer=shared_computer, presented=jar.session,
            asker=asker,
        )  # fmt: skip
        jar.session = begun.token.expose()
        jar.family = self.portal.family_tag(begun.session)
        jar.known = begun.known_browser or jar.known
        tag = None if came_from is None else jar.tags.get(came_from)
        resume = self.portal.resume(begun.session, return_to or came_from, tag)
        facts = self.of_session(begun.session)
        facts["notice"] = "membership_lost" if resume.membership_lost else ""
        facts["organization"] = resume.organization
        facts["location"] = resume.location or f"/o/{resume.organization}/"
        return facts

    def of_session(self, session: Session) -> Facts:
        profile = self.portal.profile(session)
        return {
            "login_id": profile.login_id,
            "given_name": profile.given_name,
            "organizations": sorted({one.organization for one in profile.memberships}),
            "inactivity_s": int(session.inactivity_timeout.total_seconds()),
        }

    def session(self, jar: ApiJar) -> Session:
        if jar.session is None:
            raise Refused("not_logged_in")
        return self.portal.verify_session(jar.session)

    def visit(self, jar: ApiJar, asker: Any, at: str, background: bool) -> Facts:
        if at == "/help":
            everybody = [c for o in self.portal.organizations() for c in o.contacts]
            return {"contacts": [contact.name for contact in everybody]}
        location = self.portal.location(at)
        try:
            session = self.session(jar)
        except Refused as refusal:
            if location is not None and refusal.account is not None:
                tag = self.portal.resume_tag(refusal.account, location.path)
                jar.tags[location.path] = tag
            if refusal.code == "session_ended":
                jar.session = None
            raise Led(refusal, "" if location is None else location.path) from None
        if not background:
            self.portal.record_activity(session)
        profile = self.portal.profile(session)
        if location is None and at == "/" and profile.default_organization is not None:
            location = self.portal.location(f"/o/{profile.default_organization}/")
        if location is None:
            raise NoLocation
        facts = self.of_session(session)
        if location.organization is not None:
            if location.path == f"/o/{location.organization}/":
                told = self.portal.statistics(session, location.organization)
                facts["people"] = {p.role: [p.listed, p.claimed] for p in told.people}
                facts["log_ins_today"] = told.log_ins_today
            elif not profile.is_member(location.organization):
                raise Refused("not_permitted")
            facts["organization"] = location.organization
        jar.tags[location.path] = self.portal.resume_tag(session, location.path)
        facts["location"] = location.path
        return facts

    def change_password(self, jar: ApiJar, asker: Any, current: str, new: str) -> Facts:
        session = self.session(jar)
        changed = self.portal.change_password(session, current=current, new=new, asker=asker)
        jar.session = changed.token.expose()
        return {}

    def log_out(self, jar: ApiJar, asker: Any) -> Facts:
        if jar.session is None:
            raise Refused("not_logged_in")
        self.portal.log_out(jar.session, asker)
        jar.session = None
        return {}

    def activity(self, jar: ApiJar, asker: Any, idle_ms: int) -> Facts:
        if idle_ms < 0:
            raise InvalidArgument("idle_ms", "is negative")
        self.portal.record_activity(self.session(jar), timedelta(milliseconds=idle_ms))
        return {}

    def choose_default(self, jar: ApiJar, asker: Any, organization: str) -> Facts:
        self.portal.set_default_organization(self.session(jar), organization, asker)
        return {}

    def change_details(self, jar: ApiJar, asker: Any, field: str, value: str) -> Facts:
        if field not in DETAILS:
            raise InvalidArgument(field, "is no detail")
        session = self.session(jar)
        self.portal.change_details(session, **{field: value}, asker=asker)
        details = self.portal.profile(session).details
        told = {name: getattr(details, name) for name in DETAILS}
        return {"details": {name: value for name, value in told.items() if value is not None}}

    def watch(self, jar: ApiJar, asker: Any) -> Facts:
        jar.notices = self.portal.subscribe(self.session(jar))
        return {}

    def hear(self, jar: ApiJar, asker: Any) -> Facts:
        return {"notices": heard(jar.notices)}

    def copy_cookies(self, jar: ApiJar, asker: Any, which: str, **other: str) -> Facts:
        theirs = self.jar(other["from"])
        if which == "session":
            jar.session, jar.family = theirs.session, theirs.family
        elif which == "known":
            jar.known = theirs.known
        elif which == "recovery":
            jar.recovery, jar.recoveries = theirs.recovery, theirs.recoveries
        else:
            jar.claim, jar.tickets = theirs.claim, theirs.tickets
        return {}

    def plant_session(self, jar: ApiJar, asker: Any) -> Facts:
        jar.session = "A" * 64
        return {}


class Reply(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None

    def shown(self) -> str:
        id = self.header("x-request-id") or ""
        # The id is in the body, and its length in the length.
        own = ("x-request-id", "content-length")
        headers = [
            (name, value.partition("=")[0] if name == "set-cookie" else value)
            for name, value in self.headers
            if name not in own
        ]
        return f"{self.status} {headers} {self.body.decode().replace(id, '(request)')}"


class JsonJar:
    """What one browser keeps."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {}
        self.tickets: dict[str, str] = {}
        self.recoveries: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self.family = ""
        self.notices: Any = None


class No(Exception):
    def __init__(self, reply: Reply) -> None:
        self.reply = reply


class JsonDoor:
    """A program that speaks JSON and keeps cookies, through an application that is mounted."""

    way = "http_json"

    def __init__(self) -> None:
        self.send: Callable[[str, str, dict[str, str], bytes, str], Reply]
        self.jars: dict[str, JsonJar] = {}
        self.lock = threading.Lock()

    def jar(self, browser: str) -> JsonJar:
        with self.lock:
            return self.jars.setdefault(browser, JsonJar())

    def ask(self, browser: str, network: str, request: str) -> str:
        said = json.loads(request)
        try:
            told = getattr(self, said.pop("do"))(browser, network, **said)
            return json.dumps({"outcome": "ok", **told})
        except No as no:
            return json.dumps(self.refused(no.reply))

    @staticmethod
    def refused(reply: Reply) -> dict[str, Any]:
        problem = reply.json
        outcome = problem["code"]
        typed = outcome in ("password_unacceptable", "answers_unacceptable")
        if reply.status in (400, 413, 422) and not typed:
            outcome = "invalid"
        facts: Facts = {"issues": [issue["code"] for issue in problem["issues"]]}
        if "reason" in problem:
            facts["reason"] = problem["reason"]
        if retry_after := reply.header("retry-after"):
            facts["retry_after_s"] = int(retry_after)
        untold = ["login_page_for"]
        return {"outcome": outcome, "facts": facts, "shown": reply.shown(), "untold": untold}

    def call(
        self, browser: str, network: str, method: str, path: str, body: Any = None
    ) -> Any:
        jar = self.jar(browser)
        headers = {"host": urlsplit(BASE_URL).netloc, "sec-fetch-mode": "navigate"}
        if method != "GET":
            headers |= {"sec-fetch-site": "same-origin", "origin": BASE_URL}
        if jar.cookies:
            headers["cookie"] = "; ".join(f"{k}={v}" for k, v in jar.cookies.items())
        content = b""
        if body is not None:
            content = json.dumps(body).encode()
            headers["content-type"] = "application/json"
        reply = self.send(method, f"/api/v1{path}", headers, content, network)
        for name, value in reply.headers:
            if name == "set-cookie":
                for key, morsel in SimpleCookie(value).items():
                    if morsel["max-age"] == "0":
                        jar.cookies.pop(key, None)
                    else:
                        jar.cookies[key] = morsel.value
        if not 200 <= reply.status < 300:
            raise No(reply)
        return reply.json

    # Claim

    def begin_claim(self, browser: str, network: str, claim: str, **facts: str) -> Any:
        if not facts["claim_code"]:
            del facts["claim_code"]
        told = self.call(browser, network, "POST", "/claim", facts)
        self.jar(browser).tickets[claim] = told["claim"]
        return {"facts": {name: told[name] for name in ("login_id", "given_name")}}

    def ticket(self, browser: str, claim: str, ticket_of: str | None) -> str | None:
        return self.jar(ticket_of or browser).tickets.get(claim)

    def claim_password(
        self, browser: str, network: str, claim: str, ticket_of: str | None, password: str
    ) -> Any:
        body = {"claim": self.ticket(browser, claim, ticket_of), "password": password}
        self.call(browser, network, "POST", "/claim/password", body)
        return {"untold": ["given_name", "login_id"]}

    def claim_answers(
        self, browser: str, network: str, claim: str, ticket_of: str | None,
        answers: list[tuple[str, str]],
    ) -> Any:  # fmt: skip
        body = {"claim": self.ticket(browser, claim, ticket_of), "answers": listed(answers)}
        self.call(browser, network, "POST", "/claim/questions", body)
        return {"untold": ["given_name", "login_id"]}

    # Recovery, and what asks for a fresh log-in

    def begin_recovery(
        self, browser: str, network: str, recovery: str, login_id: str, code: str
    ) -> Any:
        body = {"login_id": login_id, "code": code}
        told = self.call(browser, network, "POST", "/recovery", body)
        self.jar(browser).recoveries[recovery] = told["recovery"]
        facts = {name: told[name] for name in ("login_id", "given_name")}
        return {"facts": {**facts, "questions": [one["id"] for one in told["questions"]]}}

    def recovery_answers(
        self, browser: str, network: str, recovery: str, ticket_of: str | None,
        answers: list[tuple[str, str]],
    ) -> Any:  # fmt: skip
        id = self.jar(ticket_of or browser).recoveries.get(recovery)
        body = {"recovery": id, "answers": listed(answers)}
        self.call(browser, network, "POST", "/recovery/questions", body)
        return {"untold": ["questions"]}

    def recovery_password(
        self, browser: str, network: str, recovery: str, ticket_of: str | None, password: str
    ) -> Any:
        id = self.jar(ticket_of or browser).recoveries.get(recovery)
        body = {"recovery": id, "password": password}
        self.call(browser, network, "POST", "/recovery/password", body)
        return {"untold": ["login_id"]}

    def reauthenticate(self, browser: str, network: str, password: str) -> Any:
        self.call(browser, network, "POST", "/session/confirm", {"password": password})
        return {}

    def set_questions(
        self, browser: str, network: str, answers: list[tuple[str, str]]
    ) -> Any:
        self.call(browser, network, "PUT", "/questions", {"answers": listed(answers)})
        return {}

    def renew_recovery_codes(self, browser: str, network: str) -> Any:
        told = self.call(browser, network, "POST", "/recovery-codes")
        return {"facts": {"codes": told["codes"]}}

    def sessions(self, browser: str, network: str) -> Any:
        told = self.call(browser, network, "GET", "/sessions")["sessions"]
        assert [one["current"] for one in told].count(True) == 1
        return {"facts": {"sessions": len(told)}}

    def end_session(self, browser: str, network: str, of: str) -> Any:
        self.call(browser, network, "DELETE", f"/sessions/{self.jar(of).family}")
        return {}

    def end_other_sessions(self, browser: str, network: str) -> Any:
        self.call(browser, network, "DELETE", "/sessions")
        return {}

    # Sessions

    def log_in(
        self, browser: str, network: str, login_id: str, password: str, shared_computer: bool,
        **location: str | None,
    ) -> Any:  # fmt: skip
        body = {
            "login_id": login_id, "password": password, "shared_computer": shared_computer,
            "return_to": location["return_to"] or location["from"],
            "for": self.jar(browser).tags.get(location["from"] or ""),
        }  # fmt: skip
        told = self.call(browser, network, "POST", "/session", body)
        self.jar(browser).tags[told["resume"]] = told["for"]
        self.jar(browser).family = told["family"]
        facts = self.person(browser, network)
        facts["notice"] = "membership_lost" if told["membership_lost"] else ""
        facts["organization"] = organization_of(told["resume"])
        facts["location"] = told["resume"]
        facts["inactivity_s"] = told["inactivity_timeout_s"]
        return {"facts": facts}

    def person(self, browser: str, network: str) -> Facts:
        account = self.call(browser, network, "GET", "/account")
        listed = self.call(browser, network, "GET", "/organizations")
        return {
            "login_id": account["login_id"],
            "given_name": account["given_name"],
            "organizations": sorted(one["id"] for one in listed["organizations"]),
        }

    def visit(self, browser: str, network: str, at: str, background: bool) -> Any:
        session = self.call(browser, network, "GET", "/session")
        if not background:
            self.call(browser, network, "POST", "/session/activity", {"idle_ms": 0})
        account = self.call(browser, network, "GET", "/account")
        location = f"/o/{account['default_organization']}/" if at == "/" else at
        facts = self.person(browser, network)
        facts["inactivity_s"] = session["inactivity_timeout_s"]
        if organization := organization_of(location):
            facts["organization"] = organization
            path = f"/organizations/{organization}/statistics"
            told = self.call(browser, network, "GET", path)
            facts["people"] = {
                p["role"]: [count(p["listed"]), count(p["claimed"])] for p in told["people"]
            }
            facts["log_ins_today"] = count(told["log_ins_today"])
        # The program's page carries its own way back.
        asked = f"/session?return_to={quote(location, safe='')}"
        if tag := self.call(browser, network, "GET", asked).get("for"):
            self.jar(browser).tags[location] = tag
        facts["location"] = location
        return {"facts": facts}

    def change_password(self, browser: str, network: str, current: str, new: str) -> Any:
        body = {"current": current, "new": new}
        self.call(browser, network, "POST", "/password", body)
        return {}

    def log_out(self, browser: str, network: str) -> Any:
        self.call(browser, network, "DELETE", "/session")
        return {}

    def activity(self, browser: str, network: str, idle_ms: int) -> Any:
        self.call(browser, network, "POST", "/session/activity", {"idle_ms": idle_ms})
        return {}

    def choose_default(self, browser: str, network: str, organization: str) -> Any:
        body = {"default_organization": organization}
        self.call(browser, network, "PATCH", "/account", body)
        return {}

    def change_details(self, browser: str, network: str, field: str, value: str) -> Any:
        told = self.call(browser, network, "PATCH", "/account", {field: value})
        details = {name: told[name] for name in DETAILS if told.get(name) is not None}
        return {"facts": {"details": details}}

    def copy_cookies(self, browser: str, network: str, which: str, **other: str) -> Any:
        name = "__Host-narthex" + {"session": ""}.get(which, f"-{which}")
        jar, theirs = self.jar(browser), self.jar(other["from"])
        jar.cookies.pop(name, None)
        if name in theirs.cookies:
            jar.cookies[name] = theirs.cookies[name]
        if which == "claim":
            jar.tickets = theirs.tickets
        if which == "recovery":
            jar.recoveries = theirs.recoveries
        return {}

    def plant_session(self, browser: str, network: str) -> Any:
        self.jar(browser).cookies["__Host-narthex"] = "A" * 64
        return {}


def listed(answers: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"question": question, "answer": answer} for question, answer in answers]


def count(told: Any) -> str:
    return f"fewer than {told['fewer_than']}" if isinstance(told, dict) else str(told)


class AsgiDoor(JsonDoor):
    """Through :class:`narthex.asgi.PortalApp`; event streams and all."""

    def open(self, engine: Any) -> None:
        app = narthex.asgi.PortalApp(around(engine))
        self.engine = engine

        def send(
            method: str, target: str, headers: dict[str, str], body: bytes, network: str
        ) -> Reply:
            return asyncio.run(asgi(app, method, target, headers, body, network))

        self.send = send

    def watch(self, browser: str, network: str) -> Any:
        # What is behind the stream; test_mounts.py reads the stream itself.
        self.call(browser, network, "GET", "/session")
        token = self.jar(browser).cookies["__Host-narthex"]
        portal = around(self.engine)
        self.jar(browser).notices = portal.subscribe(portal.verify_session(token))
        return {}

    def hear(self, browser: str, network: str) -> Any:
        notices = self.jar(browser).notices
        return {"facts": {"notices": heard(notices)}}


async def asgi(
    app: narthex.asgi.PortalApp, method: str, target: str, headers: dict[str, str],
    body: bytes, network: str,
) -> Reply:  # fmt: skip
    path, _, query = target.partition("?")
    scope = {
        "type": "http", "method": method, "path": unquote(path), "raw_path": path.encode(),
        "query_string": query.encode(), "client": (network, 4711),
        "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    told = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
    content = b"".join(message.get("body", b"") for message in sent[1:])
    return Reply(sent[0]["status"], told, content)


def wsgi(
    app: Any, method: str, target: str, headers: dict[str, str], body: bytes, network: str
) -> Reply:
    """What a WSGI application answers."""
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path,
        "QUERY_STRING": query, "REMOTE_ADDR": network, "wsgi.input": io.BytesIO(body),
        "CONTENT_LENGTH": str(len(body)) if body else "",
    }  # fmt: skip
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    started: list[Any] = []
    content = app(environ, lambda *told: started.append(told))
    pieces = b"".join(content)
    if hasattr(content, "close"):
        content.close()
    status, told = started[0][:2]
    told = [(name.lower(), value) for name, value in told]
    return Reply(int(status.split()[0]), told, pieces)


class WsgiDoor(JsonDoor):
    """Through :class:`narthex.wsgi.PortalApp`: no streams, so its tabs ask for their session."""

    def open(self, engine: Any) -> None:
        app = narthex.wsgi.PortalApp(around(engine))
        self.send = partial(wsgi, app)

    def watch(self, browser: str, network: str) -> Any:
        reply = self.call(browser, network, "GET", "/events")
        assert reply is None, "204"
        return {}
