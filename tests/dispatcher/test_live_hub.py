"""The hub: one drawing for all who watch the same page, and the last change of a burst always arrives."""

import asyncio
from dataclasses import dataclass, field

import pytest
from channels.layers import get_channel_layer
from django.db import transaction

from dispatcher import hub as hubs
from dispatcher.drawings import Drawing
from dispatcher.hub import Hub
from tests.dispatcher.watching import next_frame, watch
from wires import live

pytestmark = pytest.mark.django_db(transaction=True)
CAMPAIGN = 987_654


@pytest.fixture(autouse=True)
def brisk(monkeypatch):
    monkeypatch.setattr(hubs, "AT_MOST_EVERY", 0.1)


@dataclass(eq=False)
class Page:
    """A page whose look the test decides."""

    look: dict[str, str] = field(default_factory=lambda: {"a": "<p>0</p>"})
    is_open: bool = False
    drawn: int = 0
    slow: float = 0
    fails: int = 0
    frame: str = ""
    changes: list[set] = field(default_factory=list)
    group: str = live.group_of(CAMPAIGN)

    def draw(self, last, changed):
        self.drawn += 1
        self.changes.append(set(changed) if last else {"everything"})
        if self.fails:
            self.fails -= 1
            raise RuntimeError("the database is away")
        return Drawing(dict(self.look), self.is_open, self.frame) if self.look else None


def signal() -> None:
    with transaction.atomic():
        live.changed(CAMPAIGN, 1)


async def settled() -> None:
    """Until there is a subscription and the drawing that follows it is made."""
    async with asyncio.timeout(5):
        while not get_channel_layer().groups:
            await asyncio.sleep(0.01)
    await a_while()


async def a_while() -> None:
    await asyncio.sleep(4 * hubs.AT_MOST_EVERY)


async def quiet(viewer) -> bool:
    """Whether nothing waits to be sent."""
    return not viewer.waiting


def test_all_viewers_of_a_page_share_one_drawing():
    async def scene():
        hub, page = Hub(), Page()
        viewers = [hub.join(page) for _ in range(200)]
        await settled()
        assert {await next_frame(viewer) for viewer in viewers} == {"<p>0</p>"}
        drawn = page.drawn

        page.look = {"a": "<p>1</p>"}
        await asyncio.to_thread(signal)

        assert {await next_frame(viewer) for viewer in viewers} == {"<p>1</p>"}
        assert page.drawn - drawn == 1
        assert len(hub.rooms) == 1
        for viewer in viewers:
            hub.leave(viewer)

    watch(scene())


def test_the_last_change_of_a_burst_arrives_and_few_in_between_are_drawn():
    async def scene():
        hub, page = Hub(), Page()
        viewer = hub.join(page)
        await settled()
        drawn = page.drawn

        for n in range(1, 101):
            page.look = {"a": f"<p>{n}</p>"}
            await asyncio.to_thread(signal)
        async with asyncio.timeout(2):
            while "<p>100</p>" not in await next_frame(viewer):
                pass

        await settled()
        assert page.drawn - drawn <= 12
        hub.leave(viewer)

    watch(scene())


def test_only_what_differs_is_sent():
    async def scene():
        hub, page = Hub(), Page(look={"a": "<p>0</p>", "b": "<b>0</b>"})
        viewer = hub.join(page)
        assert await next_frame(viewer) == "<p>0</p><b>0</b>"
        await settled()

        await asyncio.to_thread(signal)
        await settled()
        assert await quiet(viewer)

        page.look = {"a": "<p>0</p>", "b": "<b>1</b>"}
        await asyncio.to_thread(signal)
        assert await next_frame(viewer) == "<b>1</b>"
        hub.leave(viewer)

    watch(scene())


def test_a_viewer_who_does_not_read_gets_the_latest_only_and_delays_nobody():
    async def scene():
        hub, page = Hub(), Page()
        slow, quick = hub.join(page), hub.join(page)
        await settled()
        await next_frame(quick)

        for n in range(1, 5):
            page.look = {"a": f"<p>{n}</p>"}
            await asyncio.to_thread(signal)
            assert await next_frame(quick) == f"<p>{n}</p>"

        assert await next_frame(slow) == "<p>4</p>"
        hub.leave(slow)
        hub.leave(quick)

    watch(scene())


def test_a_lost_signal_heals_itself(monkeypatch):
    monkeypatch.setattr(hubs, "AGAIN_WHILE_OPEN", 0.2)

    async def scene():
        hub, page = Hub(), Page(is_open=True)
        viewer = hub.join(page)
        await next_frame(viewer)

        page.look = {"a": "<p>1</p>"}

        assert await next_frame(viewer) == "<p>1</p>"
        hub.leave(viewer)

    watch(scene())


def test_pages_live_on_without_redis(monkeypatch, settings, tmp_path):
    monkeypatch.setattr(hubs, "AGAIN_WHILE_OPEN", 0.2)
    nowhere = {"hosts": [f"unix://{tmp_path}/nobody.sock"], "prefix": "nowhere"}
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": nowhere}
    }

    async def scene():
        hub, page = Hub(), Page(is_open=True)
        viewer = hub.join(page)
        assert await next_frame(viewer) == "<p>0</p>"
        page.look = {"a": "<p>1</p>"}
        assert await next_frame(viewer) == "<p>1</p>"
        hub.leave(viewer)

    watch(scene())


def test_a_drawing_that_fails_is_tried_again(monkeypatch):
    monkeypatch.setattr(hubs, "AGAIN_WHILE_OPEN", 0.1)

    async def scene():
        hub, page = Hub(), Page(fails=3)
        viewer = hub.join(page)
        assert await next_frame(viewer) == "<p>0</p>"
        hub.leave(viewer)

    watch(scene())


def test_who_comes_during_a_drawing_is_not_given_a_look_older_than_his_page():
    async def scene():
        hub, page = Hub(), Page()
        first = hub.join(page)
        drawing, resume = asyncio.Event(), asyncio.Event()
        loop, plain = asyncio.get_running_loop(), page.draw

        def stuck(last, changed):
            old = plain(last, changed)
            loop.call_soon_threadsafe(drawing.set)
            asyncio.run_coroutine_threadsafe(resume.wait(), loop).result()
            return old

        page.draw = stuck
        await drawing.wait()
        page.look = {"a": "<p>newer, as on his page</p>"}
        page.draw = plain
        second = hub.join(page)
        resume.set()

        assert await next_frame(first) == "<p>0</p>"
        assert await next_frame(second) == "<p>newer, as on his page</p>"
        hub.leave(first)
        hub.leave(second)

    watch(scene())


def test_the_subscription_ends_with_the_last_viewer():
    async def scene():
        hub, page = Hub(), Page()
        layer = get_channel_layer()
        viewers = [hub.join(page), hub.join(page)]
        await settled()
        assert len(layer.groups) == len(layer.channels) == 1

        hub.leave(viewers[0])
        await a_while()
        assert hub.rooms and layer.groups

        hub.leave(viewers[1])
        await a_while()
        assert not hub.rooms and not layer.groups and not layer.channels
        drawn = page.drawn
        await asyncio.to_thread(signal)
        await a_while()
        assert page.drawn == drawn

    watch(scene())


class Deaf:
    """A channel layer whose tidying up after a cancellation fails, or which takes it for nothing at all."""

    def __init__(self, dies: bool) -> None:
        self.dies = dies
        self.waits = asyncio.Event()

    async def new_channel(self) -> str:
        try:
            self.waits.set()
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            if self.dies:
                raise ConnectionError("the connection could not be closed") from None
        return "channel"

    async def receive(self, channel: str) -> dict:
        await asyncio.sleep(60)
        return {}

    async def group_add(self, group: str, channel: str) -> None:
        pass

    group_discard = group_add


@pytest.mark.parametrize("dies", [True, False])
def test_a_room_that_is_closed_ends_also_where_the_cancellation_gets_lost(monkeypatch, dies):
    async def scene():
        layer = Deaf(dies)
        monkeypatch.setattr(hubs, "get_channel_layer", lambda: layer)
        monkeypatch.setattr(hubs, "SUBSCRIBE_AGAIN", 0.01)
        hub = Hub()
        viewer = hub.join(Page())
        tasks = viewer.room.tasks
        await layer.waits.wait()
        hub.leave(viewer)
        _, pending = await asyncio.wait(tasks, timeout=2)
        for task in pending:
            task.cancel()
        return len(pending)

    assert watch(scene()) == 0


def test_a_list_is_sent_whole_when_cards_come_or_go_and_in_parts_otherwise():
    async def scene():
        hub, page = Hub(), Page(look={"1": "<i>1</i>"}, frame="<ul>one</ul>")
        viewer = hub.join(page)
        assert await next_frame(viewer) == "<ul>one</ul>"
        await settled()

        page.look = {"1": "<i>1, changed</i>"}
        await asyncio.to_thread(signal)
        assert await next_frame(viewer) == "<i>1, changed</i>"
        assert page.changes[-1] == {CAMPAIGN}

        page.look, page.frame = {"2": "<i>2</i>", "1": "<i>1</i>"}, "<ul>two</ul>"
        await asyncio.to_thread(signal)
        assert await next_frame(viewer) == "<ul>two</ul>"
        hub.leave(viewer)

    watch(scene())


def test_a_page_that_was_deleted_dismisses_its_viewers():
    async def scene():
        hub, page = Hub(), Page()
        viewer = hub.join(page)
        await next_frame(viewer)

        page.look = {}
        await asyncio.to_thread(signal)

        with pytest.raises(AssertionError, match="gone"):
            await next_frame(viewer)
        hub.leave(viewer)

    watch(scene())
