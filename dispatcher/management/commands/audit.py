from django.core.management.base import BaseCommand

from accounts.audit_log import broken_links, heads
from campaigns.models import Campaign
from dispatcher.audit import findings, strays
from dispatcher.books import books_of
from people.agreement import disagreements

SHOWN = 50  # findings printed; one broken table can have a million


class Command(BaseCommand):
    help = (
        "Prints the books of every campaign, compares them with rows, batches and the provider's ledger, "
        "what is kept of wishes with their events and with the suppression list, "
        "and checks the chain of the audit log."
    )

    def handle(self, *args, **options) -> None:
        wrong = [*strays(), *broken_links(), *disagreements()]
        for campaign in Campaign.objects.order_by("pk").iterator():
            books = books_of(campaign)
            if books.total:
                self.stdout.write(line_of(campaign, books))
            wrong += map(str, findings(campaign))
        for head in heads():
            self.stdout.write(f"audit log of workspace {head.workspace} up to entry {head.number:,}: {head.digest}")
        for sentence in wrong[:SHOWN]:
            self.stderr.write(self.style.ERROR(sentence))
        if len(wrong) > SHOWN:
            self.stderr.write(self.style.ERROR(f"... and {len(wrong) - SHOWN:,} more findings"))
        if wrong:
            raise SystemExit(1)
        self.stdout.write(self.style.SUCCESS("The books balance."))


def line_of(campaign: Campaign, books) -> str:
    """One campaign's books as a sum."""
    parts = " + ".join(
        f"{getattr(books, word)} {word}" for word in ("pending", "sent", "failed", "skipped", "cancelled", "unknown")
    )
    return f"{campaign.pk:>5}  {campaign.get_status_display():<10} {books.total} = {parts}   {campaign.name}"
