"""The examples, started as their READMEs say and used as a person does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser, change_password, claim_and_log_in, free_port, log_in, serving

EXAMPLES = Path(__file__).parents[3] / "examples"
NEW_PASSWORD = "seven leagues of lace"


def commands(name: str, port: int) -> list[str]:
    return {
        "fastapi-diary": ["uvicorn", "main:app", "--port", f"{port}"],
        "flask-diary": ["flask", "run", "--port", f"{port}"],
        "flask-diary with gunicorn": [
            "gunicorn", "-w", "4", "-b", f"127.0.0.1:{port}", "app:app",
        ],
        "flask-diary preloaded": [
            "gunicorn", "-w", "4", "--preload", "-b", f"127.0.0.1:{port}", "app:app",
        ],
        "django-diary": ["diary_manage", "runserver", f"{port}"],
        "django-diary with gunicorn": [
            "gunicorn", "-w", "4", "-b", f"127.0.0.1:{port}", "diary.wsgi",
        ],
    }[name]  # fmt: skip


NAMES = [
    "fastapi-diary",
    "flask-diary",
    "flask-diary with gunicorn",
    "flask-diary preloaded",
    "django-diary",
    "django-diary with gunicorn",
]


@pytest.fixture(params=NAMES)
def origin(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    name: str = request.param
    port = free_port()
    folder = EXAMPLES / name.split()[0]
    data = tmp_path / "data"
    data.mkdir()
    environment = {"DIARY_DATA": str(data), "DIARY_ORIGIN": f"http://127.0.0.1:{port}"}
    command = commands(name, port)
    if name.startswith("django"):
        for prepared in (
            ["migrate", "--verbosity", "0"],
            ["narthex_import_roster", str(EXAMPLES / "rosters/oneroster-v1p2-98-users/package.zip")],
        ):
            manage(folder, environment, *prepared)
    if command[0] == "diary_manage":
        command = ["django", *command[1:]]
        environment["DJANGO_SETTINGS_MODULE"] = "diary.settings"
    with serving(command, port, folder, environment) as served:
        yield served


def manage(folder: Path, environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_readme_shows_what_djangos_commands_say(tmp_path: Path) -> None:
    folder = EXAMPLES / "django-diary"
    data = tmp_path / "diary-data"
    data.mkdir()
    environment = {"DIARY_DATA": str(data), "DIARY_ORIGIN": "http://127.0.0.1:8000"}
    readme = (folder / "README.md").read_text()
    said = re.findall(r"^\$ python manage\.py (narthex_.*)\n((?:[^$`].*\n)+)", readme, re.MULTILINE)
    assert len(said) == 2
    manage(folder, environment, "migrate", "--verbosity", "0")
    for command, shown in said:
        words = command.replace("../rosters", str(EXAMPLES / "rosters")).split()
        told = manage(folder, environment, *words)
        assert re.fullmatch(re.escape(shown).replace(r"\.\.\.", ".*"), told, re.DOTALL), told


def test_a_person_claims_logs_in_and_comes_back_to_the_page_they_wanted(origin: str) -> None:
    browser = Browser(origin)
    claim_and_log_in(browser, "/diary/monday")
    assert browser.url == "/diary/monday"
    assert "Diary of Ora Klein" in browser.page and "Page: monday" in browser.page
    assert "<narthex-header" in browser.page
    browser.submit("", entry="rain & <snow>")
    assert browser.url == "/diary/monday" and "rain &amp; &lt;snow&gt;" in browser.page
    browser.open("/diary/today")
    assert "rain" not in browser.page, "each day has its page"
    # The portal's own landing page, through the same mount.
    browser.open("/portal/")
    assert browser.status == 200 and "Ora" in browser.page


def test_an_old_session_is_refused_in_all_workers_once_a_password_change_is_acknowledged(
    origin: str,
) -> None:
    here, elsewhere = Browser(origin), Browser(origin)
    claim_and_log_in(here, "/diary/today")
    log_in(elsewhere, "/diary/")
    assert "Diary of Ora Klein" in elsewhere.page
    change_password(here, "four wet pianos sang", NEW_PASSWORD)
    # Every worker gets its turn: none of them may remember the old session.
    kept = dict(elsewhere.cookies)
    for _ in range(40):
        elsewhere.cookies = dict(kept)
        elsewhere.open("/diary/")
        assert elsewhere.url.startswith("/portal/login"), "the old session was let in"
    for _ in range(10):
        here.open("/diary/")
        assert here.url == "/diary/today", "and this browser stays"
    elsewhere.submit("/login", login_id="13001", password="four wet pianos sang")
    assert elsewhere.url.startswith("/portal/login"), "the old password is dead"
    log_in(elsewhere, "/diary/", NEW_PASSWORD)
    assert elsewhere.url == "/diary/today"


def test_the_examples_are_as_short_as_they_say() -> None:
    for name in ("fastapi-diary", "flask-diary", "django-diary"):
        sources = [p for p in (EXAMPLES / name).rglob("*.py") if "-data" not in str(p)]
        lines = sum(
            1
            for source in sources
            if source.name not in ("manage.py", "wsgi.py")  # the usual, as Django writes them
            for line in source.read_text().splitlines()
            if line.strip()
        )
        assert 0 < lines <= 62, f"{name}: {lines}"
        readme = (EXAMPLES / name / "README.md").read_text()
        assert "pip install" in readme and "Diary of Ora Klein" in readme
