"""The portal for Flask: an extension, a decorator, and ``current_visit``.

::

    app = Flask(__name__)
    Narthex(app, portal)

    @app.get("/diary/")
    @login_required
    def diary(): ...
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Flask, Response, abort, current_app, request
from markupsafe import Markup
from werkzeug.local import LocalProxy

from ._errors import InvalidArgument
from ._portal import Portal
from ._visit import Answered, Visit
from .wsgi import ENVIRON_KEY, PortalMiddleware, visit_of

__all__ = ["Narthex", "current_visit", "login_required"]

P = ParamSpec("P")
R = TypeVar("R")


def _visit() -> Visit:
    if ENVIRON_KEY not in request.environ:
        raise RuntimeError("there is no visit: narthex.flask.Narthex(app, portal) brings it")
    return visit_of(request.environ)


current_visit: Visit = LocalProxy(_visit)  # type: ignore[assignment]
"""Who is at the page of the current request."""


class Narthex:
    """Puts the portal in front of ``app``, and ``narthex_header()`` into its templates. ``protect``:
    prefixes that nobody comes to without a session."""

    def __init__(
        self, app: Flask | None = None, portal: Portal | None = None, protect: Sequence[str] = ()
    ) -> None:
        self._protect = protect
        if app is not None and portal is not None:
            self.init_app(app, portal)
        elif app is not None or portal is not None:
            missing = "portal" if portal is None else "app"
            raise InvalidArgument(missing, "is missing: Narthex(app, portal), or init_app() later")

    def init_app(self, app: Flask, portal: Portal, protect: Sequence[str] | None = None) -> None:
        """For applications that are made by a function. ``protect``: what ``Narthex(protect=...)`` says."""
        protect = self._protect if protect is None else protect
        front = PortalMiddleware(app.wsgi_app, portal, protect)
        app.extensions["narthex"] = portal
        app.wsgi_app = front  # type: ignore[method-assign]
        app.register_error_handler(Answered, _answer)
        app.context_processor(lambda: {"narthex_header": _header})


def _header() -> Markup:
    return Markup(_visit().header())


def _answer(answered: Answered) -> Response:
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answered.headers]
    return Response(answered.content, answered.status, headers)


def login_required(view: Callable[P, R]) -> Callable[P, R]:
    """Who has no live session is led to the log-in and back; a script is answered 401."""

    @wraps(view)
    def protected(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            _visit().require()
        except Answered as answered:
            if "narthex" in current_app.extensions:
                raise
            # An application that is mounted in the one with the portal has no handler for ours.
            abort(_answer(answered))
        answer: R = current_app.ensure_sync(view)(*args, **kwargs)
        return answer

    return protected
