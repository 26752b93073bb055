"""``manage.py narthex_import_roster roster.zip``: who may claim an account."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...._errors import NarthexError
from ..._portal import get_portal


class Command(BaseCommand):
    """Imports a roster; may be run while the project serves."""

    help = (
        "Brings a OneRoster or School Data Sync folder or zip, or one plain CSV file, into the portal's "
        "store."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", help="a folder, zip, or CSV file")
        parser.add_argument("--dry-run", action="store_true", help="judge it, change nothing")
        parser.add_argument(
            "--accept-new-ids",
            action="store_true",
            help="go on with a file that lists nobody whom its source listed before",
        )
        parser.add_argument("--format", choices=["oneroster", "sds", "csv"])
        parser.add_argument("--date-order", choices=["ymd", "mdy", "dmy"])
        parser.add_argument("--number-column")
        parser.add_argument(
            "--number-width",
            type=int,
            help="numbers of fewer digits get zeros in front: what a spreadsheet ate",
        )
        parser.add_argument("--source", help="whose file it is, where another source is known")
        parser.add_argument("--organization", help="everybody of a CSV file belongs here")
        parser.add_argument(
            "--delta", action="store_true", help="the file lists only what changed"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = get_portal().import_roster(
                options["path"],
                dry_run=options["dry_run"],
                accept_new_ids=options["accept_new_ids"],
                format=options["format"],
                date_order=options["date_order"],
                number_column=options["number_column"],
                number_width=options["number_width"],
                source=options["source"],
                organization=options["organization"],
                delta=options["delta"],
            )
        except NarthexError as error:
            raise CommandError(str(error)) from error
        for finding in report.findings:
            place = f"{finding.file}:{finding.line}" if finding.line else finding.file
            told = (finding.severity, place, finding.message)
            self.stdout.write(": ".join(part for part in told if part))
        if not report.usable:
            raise CommandError("the roster cannot be used as it is; nothing was changed")
        done = "would be" if options["dry_run"] else "were"
        self.stdout.write(
            f"{report.added} {done} added, {report.changed} changed, {report.unchanged} stay as they "
            f"are, {report.deactivated} no longer listed, {report.held} held back"
        )
        if report.held or report.left_out:
            raise CommandError(
                f"{report.held} held back and {report.left_out} left out: look at them; who is held back "
                "is settled by narthex_roster_holds"
            )
