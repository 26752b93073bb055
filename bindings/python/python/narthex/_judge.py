"""Whether what a program hands over is what the types say, part by part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import timedelta
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from ._errors import InvalidArgument

COUNT_MAX = 2**32 - 1


def judge(name: str, wanted: Any, said: object) -> None:
    """Raises ``TypeError`` or :class:`InvalidArgument` by the name of the part: ``"policy.apps[0]"``."""
    origin, parts = get_origin(wanted), get_args(wanted)
    if origin is UnionType:
        kinds = [kind for kind in parts if kind is not NoneType]
        if said is None and len(kinds) < len(parts):
            return
        # Of several, all are plain.
        fitting = (kind for kind in kinds if len(kinds) > 1 and isinstance(said, kind))
        judge(name, next(fitting, kinds[0]), said)
    elif origin in (tuple, Sequence):
        _judge_all(name, parts, said)
    else:
        # The engine knows the words.
        _judge_one(name, str if origin is Literal else wanted, said)


@contextmanager
def judged(name: str, wanted: Any, said: object) -> Iterator[None]:
    """Where the engine does not take ``said``, says which part of it is why: to look at all of a roster
    before would take longer than to read it."""
    try:
        yield
    except (TypeError, AttributeError):
        judge(name, wanted, said)
        raise


def _judge_one(name: str, wanted: Any, said: Any) -> None:
    # To Python a bool is an int.
    if not isinstance(said, wanted) or (wanted is int and isinstance(said, bool)):
        of = "narthex." if is_dataclass(wanted) else ""
        raise TypeError(f"{name} must be {of}{wanted.__name__}, not {type(said).__name__}")
    if is_dataclass(wanted):
        kinds = get_type_hints(wanted)
        for part in fields(wanted):
            judge(f"{name}.{part.name}", kinds[part.name], getattr(said, part.name))
    elif wanted is int and not 0 <= said <= COUNT_MAX:
        raise InvalidArgument(name, f"is not a number from 0 to {COUNT_MAX}")
    elif wanted is timedelta and said < timedelta():
        raise InvalidArgument(name, "is below zero")


def _judge_all(name: str, wanted: tuple[Any, ...], said: object) -> None:
    if isinstance(said, (str, bytes)) or not isinstance(said, Sequence):
        raise TypeError(f"{name} must be a list or tuple, not {type(said).__name__}")
    if len(wanted) == 1 or wanted[1] is ...:
        wanted = (wanted[0],) * len(said)
    if len(said) != len(wanted):
        raise InvalidArgument(name, f"has {len(said)} parts where {len(wanted)} belong")
    for place, (kind, one) in enumerate(zip(wanted, said)):
        judge(f"{name}[{place}]", kind, one)
