"""What the ASGI, the WSGI and Django's middleware have in common: protected prefixes, when answers
leave, and who may keep them."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Sequence
from posixpath import normpath

from ._errors import InvalidArgument
from ._narthex import GRID_S
from ._portal import Portal

PATH_SAFE = "/:@!$&'()*+,;=~"
"""What a path is not percent-encoded for, besides letters and digits (RFC 3986, section 3.3)."""


def with_pages(portal: Portal) -> Portal:
    """The portal; raises now, not at the first request, if it is none, or :class:`CannotOpen` if it cannot
    serve pages."""
    said: object = portal
    if not isinstance(said, Portal):
        raise TypeError(f"portal must be narthex.Portal, not {type(said).__name__}")
    portal._engine.owns("/")
    return portal


def rest_of_grid(arrived: float) -> float:
    """Seconds from now to the next line of the grid, counted from ``arrived`` (``time.monotonic()``).

    Answers to wrong secrets leave a whole number of ``GRID_S`` after their request came, so that none of
    the ways to be wrong can be told from another by its time.
    """
    return -(time.monotonic() - arrived) % GRID_S


def is_private(cache_control: str) -> bool:
    """Whether an answer that says so is kept where only its reader finds it, or nowhere.

    What a page shows a person must be so (WB-07): the next one at this computer, or behind this proxy,
    is another.
    """
    directives = {directive.strip().lower() for directive in cache_control.split(",")}
    return bool(directives & {"no-store", "private"})


class Protected:
    """Prefixes that nobody comes to without a session.

    A path is compared as the server decoded it, and once more with its slashes, dots and capitals made
    plain: a framework that takes ``//Diary/./x`` for ``/diary/x`` serves nobody around the log-in.
    ``/diary/`` protects ``/diary`` too.
    """

    def __init__(self, prefixes: Sequence[str]) -> None:
        if isinstance(prefixes, str):
            raise InvalidArgument("protect", "is a list of prefixes, not one text")
        for prefix in prefixes:
            if not prefix.startswith("/"):
                raise InvalidArgument("protect", f"{prefix!r} does not begin with a slash")
        self._prefixes = tuple(prefixes)
        self._plain = tuple(
            _plain(prefix) + ("/" if prefix.endswith("/") else "") for prefix in prefixes
        )

    def __contains__(self, path: str) -> bool:
        return path.startswith(self._prefixes) or f"{_plain(path)}/".startswith(self._plain)


class Mounts:
    """Finds requests to a mount that would lead around what is named by whole paths: the engine and
    ``protect`` judge the whole path, frameworks find the page by what is below the mount. Whoever asks may
    have named the mount (``SCRIPT_NAME`` as a header, ``/api/api/...`` behind a proxy that strips
    ``/api``).
    """

    def __init__(self, portal: Portal, protect: Sequence[str] = ()) -> None:
        named = [*protect, *(app.prefix for app in portal.policy.apps)]
        self._named = [Protected([prefix]) for prefix in named]

    def seen_by(self, app: object) -> None:
        """Raises :class:`InvalidArgument` for an application that says itself where it is mounted: whoever
        is in front of it sees no mount, and the whole path would lead around."""
        if self._named and (mount := _own_mount(app)):
            message = (
                f"adds the mount {mount!r} itself, where the middleware in front does not see it: let the "
                "server say it (root_path, SCRIPT_NAME), or add the middleware inside of the application"
            )
            raise InvalidArgument("app", message)

    def lead_around(self, whole: str, below: str) -> bool:
        """Whether the page is one of those that are named, and the path is not."""
        if whole == below:
            return False
        return any(below in one and whole not in one for one in self._named)


WRAPPED_MAX = 32
"""So many middlewares deep it is looked for an application that adds its mount."""


def _own_mount(app: object) -> str:
    """``FastAPI(root_path=...)``, and Django's ``FORCE_SCRIPT_NAME``, as far as they can be seen."""
    fastapi, django = sys.modules.get("fastapi"), sys.modules.get("django.core.handlers.base")
    for _ in range(WRAPPED_MAX):
        if fastapi is not None and isinstance(app, fastapi.FastAPI):
            return str(app.root_path)
        if django is not None and isinstance(app, django.BaseHandler):
            return sys.modules["django.conf"].settings.FORCE_SCRIPT_NAME or ""
        app = getattr(app, "app", None) or getattr(app, "application", None)
    return ""


def _plain(path: str) -> str:
    return normpath(re.sub("/+", "/", "/" + path.replace("\\", "/"))).casefold().rstrip("/")
