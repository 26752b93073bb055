"""What the documents show is so."""

from __future__ import annotations

import doctest
from pathlib import Path

import narthex.testing

ROOT = Path(__file__).parents[3]


def test_the_tour() -> None:
    outcome = doctest.testfile(str(ROOT / "docs/python.md"), module_relative=False)
    assert outcome.failed == 0 and outcome.attempted > 20


def test_the_module_for_tests() -> None:
    outcome = doctest.testmod(narthex.testing)
    assert outcome.failed == 0 and outcome.attempted > 3


def test_nothing_here_is_run_by_being_read() -> None:
    # DP-05: no code-running deserialization at any boundary of the package.
    package = Path(narthex.__file__).parent
    for source in package.rglob("*.py"):
        text = source.read_text()
        for word in ("pickle", "marshal", "yaml", "eval(", "exec("):
            said = [line for line in text.splitlines() if word in line and "cannot pickle" not in line]
            assert not said, f"{source.name}: {said}"
