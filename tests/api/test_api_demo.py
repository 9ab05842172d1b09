"""manage.py api_demo, against a real server: what it shows, and that it leaves nothing behind."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import ApiKey, AuditEntry, Workspace
from campaigns.models import Campaign
from dispatcher.api_demo import retries
from dispatcher.api_demo.examples import EXAMPLES
from dispatcher.api_demo.program import Program, Refused
from dispatcher.api_demo.provider import stormy
from dispatcher.chosen import chosen_sender
from dispatcher.models import ChosenSender
from people.channels import Channel
from people.models import Group, Recipient
from tests.api.served import asking, engine_at_work, on_its_first_day
from tests.make import make_recipient, make_workspace


@pytest.mark.django_db(transaction=True)
def test_everything_documented_is_played_over_http_and_a_failing_provider_is_overcome(live_server, monkeypatch):
    on_its_first_day(monkeypatch)
    before = people_and_groups()

    with engine_at_work():
        said = said_by_the_demo(url=live_server.url)
        assert f"{len(EXAMPLES)} of {len(EXAMPLES)} as documented." in said
        assert people_and_groups() == before, "nobody who was there is changed"
        unsent = Campaign.objects.filter(status__in=[Campaign.Status.DRAFT, Campaign.Status.SCHEDULED])
        assert unsent.count() == 6, "as before"

        said = said_by_the_demo(url=live_server.url, retries=True)
        assert "provider_down" in said and "are tried again" in said and "The balance: " in said

    assert not ChosenSender.objects.exists()
    assert not ApiKey.objects.filter(name="api_demo", revoked_at=None).exists()


def program_in(workspace: Workspace) -> Program:
    """Asks within this process."""
    program = Program("http://testserver", "", say=str)
    program.ask = asking(workspace)
    return program


@pytest.mark.django_db
def test_a_failing_provider_is_met_by_people_with_a_phone_however_many_newer_ones_have_none(monkeypatch):
    monkeypatch.setattr(retries, "PEOPLE", 2)
    workspace = make_workspace()
    reached = make_recipient(workspace)
    for _ in range(3):
        make_recipient(workspace, phone="")

    campaign = Campaign.objects.get(pk=retries.send(program_in(workspace), say=str))

    assert [message.recipient for message in campaign.messages.all()] == [reached]


@pytest.mark.django_db
def test_where_nobody_has_a_phone_it_says_so_and_leaves_no_draft_behind():
    workspace = make_workspace()
    make_recipient(workspace, phone="")

    with pytest.raises(Refused, match="Nobody in the workspace can be reached by text message"):
        retries.send(program_in(workspace), say=str)

    assert not Campaign.objects.exists()


def said_by_the_demo(**options: object) -> str:
    with StringIO() as said:
        call_command("api_demo", stdout=said, **options)
        return said.getvalue()


def people_and_groups() -> tuple[set, set]:
    """Those of the demo."""
    people = set(Recipient.objects.filter(pk__lte=110).values_list("email", "first_name", "opted_out"))
    return people, set(Group.objects.values_list("name", "description"))


@pytest.mark.django_db
def test_without_a_demo_nothing_is_made_and_it_says_what_to_do():
    with pytest.raises(CommandError, match="manage.py demo, or give --key"):
        call_command("api_demo")

    assert not ApiKey.objects.exists()


def test_a_provider_is_let_fail_in_the_demo_alone():
    with pytest.raises(CommandError, match="takes no --key"):
        call_command("api_demo", retries=True, key="cd_of_a_real_workspace")


@pytest.mark.django_db
def test_where_text_messages_go_to_a_real_provider_none_is_let_fail(settings):
    settings.SENDERS = settings.SENDERS | {"sms": "smtp"}

    with pytest.raises(Refused, match="real provider"), stormy(make_workspace()):
        pass

    assert not ChosenSender.objects.exists()


@pytest.mark.django_db
def test_where_nobody_answers_it_says_so_and_its_key_is_revoked(closed, monkeypatch):
    on_its_first_day(monkeypatch)

    with pytest.raises(CommandError, match="does not answer"):
        call_command("api_demo", url=f"http://127.0.0.1:{closed}")

    assert not ApiKey.objects.filter(name="api_demo", revoked_at=None).exists()


@pytest.mark.django_db
def test_a_failing_provider_is_put_back_as_it_was_whatever_happens(monkeypatch):
    workspace = on_its_first_day(monkeypatch)

    with pytest.raises(RuntimeError), stormy(workspace):
        assert '"stormy"' in chosen_sender(workspace.pk, Channel.SMS).stored
        raise RuntimeError
    with stormy(workspace) as end_storm:
        end_storm()
        assert not ChosenSender.objects.exists()

    verbs = AuditEntry.objects.filter(verb__endswith="_sender").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["choose_sender", "forget_sender"] * 2
