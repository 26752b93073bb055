"""How a result reaches an awaited future, on the thread of its event loop."""

from __future__ import annotations

from asyncio import Future
from typing import TypeVar

T = TypeVar("T")


def set_result(future: Future[T], value: T) -> None:
    """Unless the waiting was given up meanwhile."""
    if not future.done():
        future.set_result(value)


def set_exception(future: Future[T], error: BaseException) -> None:
    """Unless the waiting was given up meanwhile."""
    if not future.done():
        future.set_exception(error)
