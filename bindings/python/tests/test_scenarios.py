"""The front-door scenarios: the same corpus and the same outcomes as Rust and hyper."""

from __future__ import annotations

from typing import Any

import pytest
from doors import ApiDoor, AsgiDoor, WsgiDoor

from narthex.testing import run_scenario, scenario_names

# WSGI has no event streams: the pages of its tabs ask for the session instead, which
# test_mounts.py sees.
NEEDS_A_STREAM = {
    "rs01_staff_reset_ends_everything",
    "rc04_recovery_ends_every_session",
    "s09_password_change_tells_the_tabs_of_this_browser",
    "s10_password_change_ends_other_browsers",
    "s11_log_out_leads_to_login",
    "se11_all_other_browsers_end_and_this_one_stays",
    "se11_one_browser_ends_another",
}


@pytest.mark.parametrize("door", [ApiDoor, AsgiDoor, WsgiDoor])
@pytest.mark.parametrize("name", scenario_names())
def test_scenario(name: str, door: Any) -> None:
    if door is WsgiDoor and name in NEEDS_A_STREAM:
        pytest.skip("WSGI cannot stream")
    if not run_scenario(name, door):
        pytest.skip("does not apply to this way in")


def test_a_door_that_lets_the_wrong_password_in_is_found_out() -> None:
    class Careless(ApiDoor):
        def ask(self, browser: str, network: str, request: str) -> str:
            return super().ask(browser, network, request).replace("login_failed", "ok")

    with pytest.raises(AssertionError, match="expected login_failed"):
        run_scenario("p03_old_password_is_dead_at_once", Careless)


def test_a_door_that_does_not_open_says_why() -> None:
    class Shut(ApiDoor):
        def open(self, engine: Any) -> None:
            raise RuntimeError("the screens are being painted")

    with pytest.raises(AssertionError, match="being painted"):
        run_scenario("p03_old_password_is_dead_at_once", Shut)

    class Unknown(ApiDoor):
        way = "fax"

    with pytest.raises(ValueError, match="http_json"):
        run_scenario("p03_old_password_is_dead_at_once", Unknown)
