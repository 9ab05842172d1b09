"""The engine itself, in worker processes of its own, at zero latency."""

from django.db.models import Max, Min, Sum

from campaigns.models import Campaign
from dispatcher.models import Settlement
from tests.dispatcher.shift import start_shift


def rate(campaign: Campaign, workers: int) -> float:
    """Messages a second from the first settle to the last, by the database's clock."""
    environment = {"SIMULATOR_PROFILE": "perfect", "DISPATCH_WINDOW": 1000}
    running = [start_shift(seconds=600, **environment) for _ in range(workers)]
    for worker in running:
        if worker.wait(600):
            raise SystemExit("a worker failed")
    campaign.refresh_from_db()
    if campaign.status != Campaign.Status.SENT:
        raise SystemExit(f"the campaign ended as {campaign.get_status_display()}")
    settled = Settlement.objects.filter(campaign=campaign).aggregate(Min("at"), Max("at"), Sum("settled"))
    return settled["settled__sum"] / (settled["at__max"] - settled["at__min"]).total_seconds()
