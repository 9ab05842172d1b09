"""The yardstick: what one writes first. One RQ job, one ORM save and one broadcast with its COUNTs per recipient."""

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db.models import Count
from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from campaigns.footer import text_for
from campaigns.models import Campaign
from dispatcher.models import Message
from simulator.models import Call
from tests.bench import costs

Status = Message.Status


def send_one(message_id: int) -> None:
    """The job: fetch, fill in, hand over, save, count, broadcast."""
    message = Message.objects.select_related("campaign").get(pk=message_id)
    body = text_for(message.campaign, message.fields, message.recipient_id, is_exact=True).text
    Call.objects.create(
        key=message.key, honours_key=False, accepted=True, channel="email", address=message.address, text=body
    )
    message.status = Status.SENT
    message.save()
    counts = dict(Message.objects.filter(campaign=message.campaign_id).values_list("status").annotate(n=Count("pk")))
    async_to_sync(get_channel_layer().group_send)(
        f"naive-{message.campaign_id}", {"type": "progress", "counts": {str(k): v for k, v in counts.items()}}
    )


def send(campaign: Campaign, jobs: int) -> costs.Cost:
    """Carry out this many jobs on one SimpleWorker, in a campaign of its full size."""
    connection = Redis.from_url(settings.REDIS_URL)
    queue = Queue("naive", connection=connection, serializer=JSONSerializer)
    queue.empty()
    ids = Message.objects.filter(campaign=campaign, status=Status.PENDING).values_list("pk", flat=True)
    for pk in ids[:jobs]:
        queue.enqueue(send_one, pk, result_ttl=0)
    worker = SimpleWorker([queue], connection=connection, serializer=JSONSerializer)
    with costs.measured(jobs) as cost:
        worker.work(burst=True, logging_level="ERROR")
    return cost
