"""A browser without scripts: cookies, pages, forms as they are found. And servers to point it at."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from http.client import HTTPConnection, HTTPResponse
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

ORA = {
    "given_name": "Ora",
    "family_name": "Klein",
    "birth_year": "2000",
    "birth_month": "4",
    "birth_day": "2",
    "login_id": "13001",
}
PASSWORD = "four wet pianos sang"


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.inside = False
        self.select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((said.get("action", ""), {}))
            self.inside = True
        if not self.inside or not self.forms:
            return
        fields = self.forms[-1][1]
        if tag == "select":
            self.select = said.get("name")
        elif tag == "option" and self.select and ("selected" in said or self.select not in fields):
            fields[self.select] = said.get("value", "")
        elif tag in ("input", "textarea") and "name" in said and said.get("type") != "checkbox":
            fields[said["name"]] = said.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        elif tag == "select":
            self.select = None


class Browser:
    """One cookie jar before one origin."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.cookies: dict[str, str] = {}
        self.url = "/"
        self.status = 0
        self.page = ""

    def request(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: str = ""
    ) -> HTTPResponse:
        """One request, no redirect followed; the response has been read into ``page``."""
        connection = HTTPConnection(urlsplit(self.origin).netloc, timeout=30)
        sent = {"accept": "text/html", **(headers or {})}
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection.request(method, path, body=body or None, headers=sent)
        response = connection.getresponse()
        self.status, self.page = response.status, response.read().decode()
        connection.close()
        for line in response.headers.get_all("set-cookie") or ():
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
        return response

    def open(self, path: str) -> str:
        """A person goes there; where it ends after redirects."""
        self._follow(self.request("GET", path, {"sec-fetch-user": "?1"}), path)
        return self.url

    def submit(self, action: str, **typed: str) -> str:
        """Sends the form whose action ends so, with what was typed into it."""
        reader = _Forms()
        reader.feed(self.page)
        found = [form for form in reader.forms if form[0].partition("?")[0].endswith(action)]
        assert found, f"no form {action} among {reader.forms} on {self.url}:\n{self.page[:2000]}"
        target, fields = found[-1]
        unknown = typed.keys() - fields.keys()
        assert not unknown, f"the form has no {unknown}, but {fields.keys()}"
        path = urljoin(self.url, target)
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "origin": self.origin,
            "sec-fetch-site": "same-origin",
            "sec-fetch-user": "?1",
        }
        body = urlencode({**fields, **typed})
        self._follow(self.request("POST", path, headers, body), path)
        return self.url

    def _follow(self, response: HTTPResponse, path: str) -> None:
        for _ in range(10):
            self.url = path
            if response.status not in (301, 302, 303, 307, 308):
                return
            path = urljoin(path, response.headers["location"]).removeprefix(self.origin)
            response = self.request("GET", path, {"sec-fetch-user": "?1"})
        raise AssertionError(f"led around in circles, last to {path}")


def claim_and_log_in(browser: Browser, start: str, password: str = PASSWORD) -> None:
    """From the log-in page that ``start`` leads to: claim as Ora Klein, log in."""
    browser.open(start)
    assert browser.url.startswith("/portal/login"), browser.url
    browser.open("/portal/claim")
    browser.submit("/claim", **ORA)
    browser.submit("/claim/password", password=password)
    browser.submit(
        "/claim/questions",
        question_1="first_toy", answer_1="Sir Knits",
        question_2="story", answer_2="The Paper Boat",
    )  # fmt: skip
    assert browser.url.startswith("/portal/login"), f"{browser.url}\n{browser.page[:3000]}"
    log_in(browser, start, password)


def log_in(browser: Browser, start: str, password: str = PASSWORD) -> None:
    """From the log-in page that ``start`` leads to, and back to ``start``."""
    browser.open(start)
    browser.submit("/login", login_id="13001", password=password)


def change_password(browser: Browser, current: str, new: str) -> None:
    """On its own page."""
    browser.open("/portal/account/password")
    browser.submit("/account/password", current=current, new=new)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serving(
    command: list[str], port: int, folder: Path, environment: dict[str, str]
) -> Iterator[str]:
    """A server in a process of its own, as a person starts it; its origin."""
    log = Path(environment["DIARY_DATA"]).with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder), **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            deadline = time.monotonic() + 60
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                assert process.poll() is None, f"it ended:\n{log.read_text()}"
                assert time.monotonic() < deadline, f"it does not listen:\n{log.read_text()}"
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
