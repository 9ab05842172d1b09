"""The sockets of the live pages: who may look, and that a push shows the same bytes as a reload."""

import asyncio
import itertools
import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Membership, Role
from campaigns.models import Campaign
from dispatcher import operations
from dispatcher.consumers import CHECK_EVERY, Watcher, first_pause
from dispatcher.drawings import CampaignPage
from dispatcher.hub import hub
from tests.dispatcher.outcomes import failed, launched, sent, unknown
from tests.dispatcher.watching import change, frames_until, socket, watch
from tests.make import make_campaign, make_member, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def workspace():
    return make_workspace(time_zone="Africa/Nairobi")


@pytest.fixture
def ann(workspace):
    return make_member(workspace, name="Ann")


@pytest.fixture
def campaign(workspace):
    return launched(make_campaign(workspace, people=9), *sent(3), *failed(how_many=2), *unknown())


def address(campaign: Campaign) -> str:
    return f"/ws/campaigns/{campaign.pk}/"


def reload(user, campaign: Campaign) -> str:
    client = Client()
    client.force_login(user)
    return client.get(reverse("campaign", args=[campaign.pk])).content.decode()


async def is_refused(communicator) -> bool:
    connected, _ = await communicator.connect()
    return not connected


def test_strangers_and_members_of_other_workspaces_are_turned_away(campaign):
    async def scene(other):
        assert await is_refused(socket(address(campaign)))
        assert await is_refused(socket("/ws/campaigns/"))
        assert await is_refused(socket(address(campaign), cookie="0" * 32))
        assert await is_refused(socket(address(campaign), cookie=other))
        assert await is_refused(socket("/ws/campaigns/99999999999999999999999999/", cookie=other))
        assert await is_refused(socket("/ws/elsewhere/", cookie=other))
        assert not hub.rooms

    client = Client()
    client.force_login(make_member())
    watch(scene(client.cookies["sessionid"].value))


def test_other_sites_cannot_open_a_socket_with_our_cookie(campaign, ann):
    foreign = socket(address(campaign), ann, origin="https://evil.example")
    watch(_assert_refused(foreign))


async def _assert_refused(communicator):
    assert await is_refused(communicator)


def is_shown(fragment: str, html: str) -> bool:
    """Whether the page has these bytes; numbers that tick inside another fragment stand there without the mark."""
    if "-count" not in fragment:
        return fragment in html
    numbers = re.findall(r"<b id.*?</b>", fragment)
    return bool(numbers) and all(number.replace(' hx-swap-oob="morph"', "") in html for number in numbers)


def test_the_first_frame_is_what_a_reload_shows(campaign, ann):
    operations.pause(campaign, by=ann)
    mine = socket(address(campaign), ann)
    html = reload(ann, campaign)

    async def scene():
        assert (await mine.connect())[0]
        frame = await mine.receive_from()
        await mine.disconnect()
        return frame

    frame = watch(scene())

    drawing = CampaignPage.seen_by(campaign.pk, Role.MARKETER).draw()
    assert frame == str(drawing)
    for name, fragment in drawing.fragments.items():
        assert is_shown(fragment, html), name


def test_a_push_is_what_a_reload_shows(campaign, ann):
    mine = socket(address(campaign), ann)

    async def scene():
        await mine.connect()
        await mine.receive_from()
        await change(operations.pause, campaign, by=ann)
        frame = await frames_until(mine, "Paused by Ann")
        html = await change(reload, ann, campaign)
        await mine.disconnect()
        return frame, html

    frame, html = watch(scene())

    assert "Resume" in frame
    for name, fragment in CampaignPage.seen_by(campaign.pk, Role.MARKETER).draw().fragments.items():
        assert is_shown(fragment, html), name
        if fragment in frame:
            frame = frame.replace(fragment, "")
    assert frame == ""


def test_what_ticks_does_not_carry_what_is_pressed(campaign, ann):
    mine = socket(address(campaign), ann)

    async def scene():
        await mine.connect()
        await mine.receive_from()
        await change(operations.assume_delivered, campaign, by=ann)
        frame = await frames_until(mine, "progressbar")
        await mine.disconnect()
        return frame

    assert "Pause</button>" not in watch(scene())


def test_who_may_not_send_is_sent_no_buttons(campaign, workspace):
    viewer = make_member(workspace, Role.VIEWER)
    theirs = socket(address(campaign), viewer)

    async def scene():
        await theirs.connect()
        frame = await theirs.receive_from()
        await theirs.disconnect()
        return frame

    frame = watch(scene())
    assert "progressbar" in frame and "<button" not in frame and "Edit" not in frame


def test_viewers_with_the_same_rights_share_a_room(campaign, workspace, ann):
    sockets = [
        socket(address(campaign), user)
        for user in (ann, *(make_member(workspace, role) for role in (Role.ADMIN, Role.OWNER, Role.VIEWER)))
    ]

    async def scene():
        for one in sockets:
            await one.connect()
            await one.receive_from(timeout=3)
        assert len(hub.rooms) == 3  # an owner sees what an admin sees
        for one in sockets:
            await one.disconnect()
        assert not hub.rooms

    watch(scene())


@pytest.mark.parametrize("how", ["membership", "account", "session"])
def test_who_is_shut_out_is_closed_and_not_invited_back(campaign, ann, monkeypatch, how):
    monkeypatch.setattr(Watcher, "check_every", 0.2)
    client = Client()
    client.force_login(ann)
    mine = socket(address(campaign), cookie=client.cookies["sessionid"].value)

    def shut_out():
        if how == "membership":
            Membership.objects.filter(user=ann).delete()
        elif how == "account":
            ann.is_active = False
            ann.save()
        else:
            client.logout()

    async def scene():
        await mine.connect()
        await mine.receive_from()
        await change(shut_out)
        return await closing(mine)

    assert watch(scene()) == 4403


def test_who_came_together_is_not_checked_together():
    moments = sorted(first_pause(CHECK_EVERY) for _ in range(500))

    assert moments[0] >= 0 and moments[-1] <= CHECK_EVERY
    gaps = [later - earlier for earlier, later in itertools.pairwise([0, *moments, CHECK_EVERY])]
    assert max(gaps) < 3 * CHECK_EVERY / 500


def test_another_role_brings_the_page_back_as_it_is_then(campaign, ann, monkeypatch):
    monkeypatch.setattr(Watcher, "check_every", 0.2)
    mine = socket(address(campaign), ann)

    async def scene():
        await mine.connect()
        await mine.receive_from()
        await change(Membership.objects.filter(user=ann).update, role=Role.VIEWER)
        return await closing(mine)

    assert watch(scene()) == 1012  # after which the browser opens a new one


def test_a_deleted_campaign_closes_its_sockets(workspace, ann):
    draft = make_campaign(workspace)
    mine = socket(address(draft), ann)

    async def scene():
        await mine.connect()
        await mine.receive_from()
        await change(draft.delete)
        await mine.send_to(text_data="again")
        return await closing(mine)

    assert watch(scene()) == 4404


async def closing(communicator) -> int:
    """The code a socket is closed with."""
    async with asyncio.timeout(5):
        while True:
            output = await communicator.receive_output(timeout=5)
            if output["type"] == "websocket.close":
                return output["code"]


def test_a_page_changed_by_something_else_is_drawn_whole_when_it_asks(campaign, ann):
    mine = socket(address(campaign), ann)

    async def scene():
        await mine.connect()
        first = await mine.receive_from()
        await mine.send_to(text_data="again")
        assert (await frames_until(mine, "progressbar")).count("hx-swap-oob") == first.count("hx-swap-oob")
        await mine.disconnect()

    watch(scene())


def test_the_list_shows_a_campaign_start_and_a_new_one_come(workspace, ann):
    draft = make_campaign(workspace, people=3, name="the first")
    make_campaign(workspace, name="not touched")
    mine = socket("/ws/campaigns/", ann)

    async def scene():
        await mine.connect()
        assert "the first" in await mine.receive_from()

        await change(operations.launch, draft, by=ann)
        frame = await frames_until(mine, "Sending</span>")
        assert "not touched" not in frame

        newer = await change(make_campaign, workspace, name="newer")
        await mine.send_to(text_data="again")
        assert "newer" in await frames_until(mine, f'id="campaign-{newer.pk}-card"')
        await mine.disconnect()

    watch(scene())


def test_the_list_says_nothing_of_other_workspaces(ann):
    theirs = make_campaign(people=3, name="secret")
    mine = socket("/ws/campaigns/", ann)

    async def scene():
        await mine.connect()
        assert "secret" not in await mine.receive_from()
        await change(operations.launch, theirs, by=None)
        assert await mine.receive_nothing(timeout=1)
        await mine.disconnect()

    watch(scene())


def test_the_list_keeps_to_its_page(workspace, ann):
    first, second = make_campaign(workspace, people=3), make_campaign(workspace, name="too new")
    mine = socket(f"/ws/campaigns/?before={second.pk}", ann)

    async def scene():
        await mine.connect()
        frame = await mine.receive_from()
        await mine.disconnect()
        return frame

    frame = watch(scene())
    assert first.name in frame and "too new" not in frame
