"""Runs Django's own tests of ``contrib.auth`` and ``contrib.sessions`` in a project that has the portal::

    python djangos_own.py FOLDER

``FOLDER`` is where the source of the Django that is installed lies, or is put by pip.
What Django promises to its users and superusers holds unchanged beside the portal: sessions, log-in,
``login_required``, ``next``, permissions, password changes, signals, middleware order.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import django

LABELS = [
    "auth_tests.test_auth_backends",
    "auth_tests.test_basic",
    "auth_tests.test_checks",
    "auth_tests.test_context_processors",
    "auth_tests.test_decorators",
    "auth_tests.test_login",
    "auth_tests.test_middleware",
    "auth_tests.test_mixins",
    "auth_tests.test_models",
    "auth_tests.test_remote_user",
    "auth_tests.test_signals",
    "auth_tests.test_templates",
    "auth_tests.test_tokens",
    "auth_tests.test_views",
    "sessions_tests",
]


def settings_of_a_project() -> ModuleType:
    """The settings that Django's tests run with by default, and the portal."""
    import test_sqlite  # type: ignore[import-not-found]

    made = ModuleType("project_with_a_portal")
    made.__dict__.update(vars(test_sqlite))
    made.__dict__.update(
        NARTHEX={"store": "memory:", "base_url": "http://127.0.0.1:8000/portal"},
        AUTHENTICATION_BACKENDS=[
            "django.contrib.auth.backends.ModelBackend",
            "narthex.django.backends.PortalBackend",
        ],
    )
    return made


# What is about a project whose only backend is Django's: two leave open which one is meant.
ONE_BACKEND: dict[str, dict[str, tuple[str, ...]]] = {
    "auth_tests.test_checks": {
        "UserModelChecksTests": ("test_username_non_unique", "test_username_partially_unique"),
    },
    "auth_tests.test_login": {
        "TestLogin": (
            "test_inactive_user", "test_user_login", "test_without_user_anonymous_request",
            "test_without_user_authenticated_request",
        ),
    },
    "auth_tests.test_models": {
        "UserWithPermTestCase": (
            "test_basic", "test_invalid_permission_name", "test_invalid_permission_type",
            "test_nonexistent_permission",
        ),
    },
    "auth_tests.test_views": {
        "PasswordResetTest": (
            "test_confirm_login_post_reset", "test_confirm_login_post_reset_already_logged_in",
        ),
    },
}  # fmt: skip


def with_one_backend() -> None:
    from django.test import override_settings

    alone = override_settings(AUTHENTICATION_BACKENDS=["django.contrib.auth.backends.ModelBackend"])
    for module, classes in ONE_BACKEND.items():
        for name, methods in classes.items():
            cases = getattr(import_module(module), name)
            for method in methods:
                setattr(cases, method, alone(getattr(cases, method)))


def source_in(folder: Path) -> Path:
    """The source of the Django that is installed, fetched if it is not there yet."""
    name = f"django-{django.__version__}"
    if not (folder / name / "tests").is_dir():
        fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        wanted = ["--no-binary", "django", f"django=={django.__version__}", "--dest", str(folder)]
        subprocess.run([*fetch, *wanted], check=True)
        shutil.unpack_archive(folder / f"{name}.tar.gz", folder, filter="data")
    return folder / name


def main(folder: Path) -> int:
    tests = source_in(folder) / "tests"
    sys.path.insert(0, str(tests))
    os.chdir(tests)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["TMPDIR"] = scratch
        import runtests  # type: ignore[import-not-found]

        sys.modules["project_with_a_portal"] = settings_of_a_project()
        os.environ["DJANGO_SETTINGS_MODULE"] = "project_with_a_portal"
        runtests.ALWAYS_INSTALLED_APPS.append("narthex.django")
        runtests.ALWAYS_MIDDLEWARE.append("narthex.django.middleware.PortalMiddleware")
        set_up = runtests.setup_run_tests

        def set_up_and_settle(*told: Any) -> Any:
            made = set_up(*told)
            with_one_backend()
            return made

        runtests.setup_run_tests = set_up_and_settle
        failures: int = runtests.django_tests(
            verbosity=1, interactive=False, failfast=False, keepdb=False, reverse=False,
            test_labels=LABELS, debug_sql=False, parallel=1, tags=(), exclude_tags=(),
            test_name_patterns=None, start_at=None, start_after=None, pdb=False, buffer=True,
            timing=False, shuffle=False,
        )  # fmt: skip
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
