"""Schemathesis against a portal under test: nobody's requests, then a person's. See README.md."""

import json
import os
import subprocess
import sys
from pathlib import Path

import requests

PASSWORD = "seven leagues of lace"
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance"
)
HERE = Path(__file__).parent
SECONDS_MAX = 240


class Portal:
    """A portal of its own, with a roster to claim from."""

    def __init__(self, binary):
        self.process = subprocess.Popen(
            [binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.url = self.process.stdout.readline().split()[1].rstrip("/")

    def ask(self, line):
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        word, _, rest = self.process.stdout.readline().strip().partition(" ")
        if word != "ok":
            raise SystemExit(f"{line}: {word} {rest}")
        return json.loads(rest) if rest else None

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)


def claim(portal):
    """Claims the first person that can, as `openapi.json` says, and returns the number."""
    person = next(p for p in portal.ask("people") if p["birthdate"])
    api = f"{portal.url}/api/v1"
    browser = requests.Session()
    browser.headers["Origin"] = portal.url
    evidence = ("given_name", "family_name", "birthdate", "login_id")
    answer = browser.post(f"{api}/claim", json={name: person[name] for name in evidence})
    answer.raise_for_status()
    # A program over plain http on loopback: `requests` keeps these cookies as a browser does.
    browser.post(f"{api}/claim/password", json={"password": PASSWORD}).raise_for_status()
    bank = browser.get(f"{api}/questions").json()
    answers = [
        {"question": question["id"], "answer": f"an answer nobody guesses {number}"}
        for number, question in enumerate(bank["bank"][: bank["required"]])
    ]
    browser.post(f"{api}/claim/questions", json={"answers": answers}).raise_for_status()
    return person["login_id"]


def schemathesis(portal, examples, **environment):
    command = [
        Path(sys.executable).parent / "st", "run", f"{portal.url}/api/v1/openapi.json",
        "--url", f"{portal.url}/api/v1",
        "--checks", CHECKS,
        "--phases", "coverage,fuzzing",
        "--max-examples", str(examples),
        "--seed", "1",
        "--max-failures", "10",
        "--warnings", "off",
        "--no-color",
    ]
    variables = {
        **os.environ, **environment,
        "NARTHEX_PORTAL": portal.url,
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": str(HERE),
    }
    return subprocess.run(
        command, env=variables, cwd=portal_folder(), timeout=SECONDS_MAX
    ).returncode


def portal_folder():
    """Where Schemathesis may leave its notes: not in the repository."""
    folder = Path(sys.prefix) / "run"
    folder.mkdir(exist_ok=True)
    return folder


def main():
    portal = Portal(sys.argv[1])
    try:
        number = claim(portal)
        nobody = schemathesis(portal, 30)
        person = schemathesis(portal, 20, NARTHEX_NUMBER=number, NARTHEX_PASSWORD=PASSWORD)
    finally:
        portal.stop()
    sys.exit(1 if nobody or person else 0)


if __name__ == "__main__":
    main()
