"""Starts an example by its own command, with a clock that is moved by lines on stdin::

    python under_test.py MODULE ARGUMENTS...

``advance MILLISECONDS`` lets time pass and is answered ``@ok``. Passwords are hashed fast: for tests only.
"""

from __future__ import annotations

import runpy
import sys
import threading
from datetime import datetime, timedelta, timezone
from typing import Any

from narthex import Portal
from narthex.testing import ManualClock

clock = ManualClock(datetime.now(timezone.utc))
_open = Portal.open.__func__  # type: ignore[attr-defined]


def open_with_this_clock(cls: type[Portal], /, url: str, **said: Any) -> Portal:
    opened: Portal = _open(cls, url, _clock=clock, **said)
    return opened


def obey() -> None:
    for line in sys.stdin:
        word, milliseconds = line.split()
        assert word == "advance", line
        clock.advance(timedelta(milliseconds=int(milliseconds)))
        print("@ok", flush=True)


if __name__ == "__main__":
    Portal.open = classmethod(open_with_this_clock)  # type: ignore[method-assign, assignment]
    threading.Thread(target=obey, daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
