"""A class diary with FastAPI: who has no session is led to the portal's log-in and back."""

import os
from html import escape
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Form
from fastapi import Path as PathParam
from fastapi.responses import HTMLResponse, RedirectResponse

import narthex
from narthex.fastapi import Person, PortalMiddleware

ORIGIN = os.environ.get("DIARY_ORIGIN", "http://127.0.0.1:8000")
DATA = Path(os.environ.get("DIARY_DATA", "diary-data")).resolve()
ROSTER = Path(__file__).parents[1] / "rosters/oneroster-v1p2-98-users/package.zip"

portal = narthex.Portal.open(
    f"redb://{DATA}/portal.redb",
    base_url=f"{ORIGIN}/portal",
    policy=narthex.Policy(apps=(narthex.App("/diary/"),)),
)
if portal.roster_status().active == 0:
    portal.import_roster(ROSTER)

app = FastAPI(title="Diary")
app.add_middleware(PortalMiddleware, portal=portal)


def page_of(visit: Person, day: str) -> Path:
    return DATA / f"{visit.require().account}-{day}.txt"


Day = Annotated[str, PathParam(pattern="^[a-z]+$")]


@app.get("/", include_in_schema=False)
@app.get("/diary/", include_in_schema=False)
async def today() -> RedirectResponse:
    return RedirectResponse("/diary/today")


@app.get("/diary/{day}", response_class=HTMLResponse)
async def read(visit: Person, day: Day) -> str:
    person, page = await visit.aprofile(), page_of(visit, day)
    assert person is not None
    written = page.read_text() if page.exists() else ""
    return f"""<!doctype html><html lang="en"><title>Diary</title><link rel="icon" href="data:,">
{await visit.aheader()}
<main><h1>Diary of {escape(person.name)}</h1><p>Page: {escape(day)}</p><p>{escape(written)}</p>
<form method="post"><label>Entry <textarea name="entry"></textarea></label>
<button>Write</button></form></main>"""


@app.post("/diary/{day}")
async def write(visit: Person, day: Day, entry: Annotated[str, Form()]) -> RedirectResponse:
    page_of(visit, day).write_text(entry)
    return RedirectResponse(f"/diary/{day}", status_code=303)
