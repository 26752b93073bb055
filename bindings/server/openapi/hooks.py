"""Logs in anew for every call: calls that end the session do not spoil the next."""

import os
from urllib.parse import urlencode

import requests
import schemathesis

PORTAL = os.environ["NARTHEX_PORTAL"]
NUMBER = os.environ.get("NARTHEX_NUMBER")
PASSWORD = os.environ.get("NARTHEX_PASSWORD")
# Beyond what a server reads as one request's head, its answer is the HTTP library's: 431, without a
# document. `adapters/hyper/tests/sockets.rs` holds that limit.
QUERY_BYTES_MAX = 6 * 1024


@schemathesis.hook
def filter_case(context, case):
    return len(urlencode(case.query or {}, doseq=True)) <= QUERY_BYTES_MAX


if NUMBER:

    @schemathesis.auth(refresh_interval=None)
    class LoggedIn:
        def get(self, case, context):
            answer = requests.post(
                f"{PORTAL}/api/v1/session",
                json={"login_id": NUMBER, "password": PASSWORD},
                timeout=20,
            )
            answer.raise_for_status()
            # The session's, and the one by which the portal knows this browser again.
            return "; ".join(f"{cookie.name}={cookie.value}" for cookie in answer.cookies)

        def set(self, case, data, context):
            case.headers["Cookie"] = data
            case.headers["Origin"] = PORTAL
