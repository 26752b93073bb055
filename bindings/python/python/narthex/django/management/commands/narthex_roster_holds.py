"""``manage.py narthex_roster_holds``: imports that would have made too many people inactive."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...._errors import NarthexError
from ..._portal import get_portal


class Command(BaseCommand):
    """Lists what waits for a human, or settles it: what ``narthex roster confirm`` does on a server."""

    help = "Says what imports held back; with --confirm or --discard, settles it."

    def add_arguments(self, parser: CommandParser) -> None:
        decision = parser.add_mutually_exclusive_group()
        decision.add_argument("--confirm", action="store_true", help="the people have really left")
        decision.add_argument("--discard", action="store_true", help="they stay")
        parser.add_argument("--source", help="of this source only")
        parser.add_argument("--organization", help="of this organization only")

    def handle(self, *args: Any, **options: Any) -> None:
        source, organization = options["source"], options["organization"]
        try:
            portal = get_portal()
            if not options["confirm"] and not options["discard"]:
                for hold in portal.roster_holds():
                    if source in (None, hold.source) and organization in (None, hold.organization):
                        self.stdout.write(
                            f"{hold.source}, {hold.organization}: {hold.missing} of {hold.listed} people "
                            "were missing: --confirm if they have left, --discard if not"
                        )
                return
            left, stayed = portal.settle_holds(
                "confirm" if options["confirm"] else "discard", source=source, organization=organization
            )
        except NarthexError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{left} made inactive, {stayed} stay")
