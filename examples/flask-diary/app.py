"""A class diary with Flask: who has no session is led to the portal's log-in and back."""

import os
from pathlib import Path

from flask import Flask, abort, redirect, render_template, request
from werkzeug.wrappers import Response

import narthex
from narthex.flask import Narthex, current_visit, login_required

ORIGIN = os.environ.get("DIARY_ORIGIN", "http://127.0.0.1:5000")
DATA = Path(os.environ.get("DIARY_DATA", "diary-data")).resolve()
ROSTER = Path(__file__).parents[1] / "rosters/oneroster-v1p2-98-users/package.zip"

portal = narthex.Portal.open(
    f"redb://{DATA}/portal.redb",
    base_url=f"{ORIGIN}/portal",
    policy=narthex.Policy(apps=(narthex.App("/diary/"),)),
)
if portal.roster_status().active == 0:
    portal.import_roster(ROSTER)

app = Flask(__name__)
Narthex(app, portal)


@app.get("/")
@app.get("/diary/")
def today() -> Response:
    return redirect("/diary/today")


@app.route("/diary/<day>", methods=["GET", "POST"])
@login_required
def diary(day: str) -> str | Response:
    if not day.isalpha():
        abort(404)
    page = DATA / f"{current_visit.require().account}-{day}.txt"
    if request.method == "POST":
        page.write_text(request.form["entry"])
        return redirect(f"/diary/{day}", 303)
    written = page.read_text() if page.exists() else ""
    person = current_visit.profile()
    return render_template("diary.html", person=person, day=day, written=written)
