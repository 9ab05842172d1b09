"""The settings page of senders: who may, what is kept, what is never shown, and what a test answers."""

import re

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.urls import reverse

from accounts.models import AuditEntry, Role
from dispatcher import choose, sealing, tryout
from dispatcher.audit import strays
from dispatcher.models import ChosenSender, Pace
from people.channels import Channel
from simulator.models import Call, Outage
from tests.dispatcher.mail_server import HERE, breaking_wire, certificate, free_port, mail_server
from tests.make import make_member, make_workspace

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.filterwarnings("ignore:Requiring AUTH")]


@pytest.fixture
def ann(client):
    ann = make_member(make_workspace("Acme"), Role.ADMIN, email="ann@example.com")
    client.force_login(ann)
    return ann


@pytest.fixture
def workspace(ann):
    return ann.workspaces.get()


def smtp(port: int = 587, **typed: object) -> dict[str, object]:
    form = {"from_name": "Acme", "from_address": "news@acme.example", "limit": "", "option-host": HERE}
    return form | {"option-port": port, "option-security": "none"} | typed


def save(client, channel: str = "email", sender: str = "smtp", **typed: object):
    return client.post(reverse("sender", args=[channel]) + f"?sender={sender}", typed)


def words(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def sent_a_test(client, to: str = "ann@example.com", channel: str = "email") -> str:
    return words(client.post(reverse("test-sender", args=[channel]), {"to": to}, follow=True))


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR, Role.MARKETER])
def test_only_those_who_manage_may_look(client, role):
    client.force_login(make_member(role=role))
    assert client.get(reverse("senders")).status_code == 403


def test_without_a_choice_the_page_tells_what_the_installation_uses(client, ann):
    page = words(client.get(reverse("senders")))
    assert page.count("Simulated provider") == 3
    assert "campaigns@example.com" in page


def test_a_mail_server_is_saved_with_its_secret_sealed_and_never_shown_again(client, workspace):
    answer = save(client, **smtp(**{"option-user": "ann", "option-password": "sesame", "limit": "7.5"}))

    assert answer.status_code == 302
    row = ChosenSender.objects.get(workspace=workspace)
    assert (row.sender, row.channel, row.from_name) == ("smtp", Channel.EMAIL, "Acme")
    assert sealing.unseal(row.options["password"]) == "sesame"
    assert Pace.objects.get(workspace=workspace, sender="smtp").limit == 7.5
    for page in (reverse("senders"), reverse("sender", args=["email"])):
        html = client.get(page).content.decode()
        assert "sesame" not in html
        assert row.options["password"] not in html
    assert "One is stored" in words(client.get(reverse("sender", args=["email"])))


def test_a_secret_left_empty_stays_for_the_same_account_only(client, workspace):
    save(client, **smtp(**{"option-user": "ann", "option-password": "sesame"}))

    assert save(client, **smtp(**{"option-user": "ann", "limit": "3"})).status_code == 302
    assert sealing.unseal(ChosenSender.objects.get().options["password"]) == "sesame"

    elsewhere = save(client, **smtp(**{"option-user": "ann", "option-host": "localhost"}))
    assert elsewhere.status_code == 422
    assert "Type the password again" in words(elsewhere)
    assert ChosenSender.objects.get().options["host"] == HERE


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"option-host": ""}, "Say which mail server takes the mail."),
        ({"option-host": "smtp://x"}, "Write just the name of the server"),
        ({"option-port": "70000"}, "less than or equal to 65535"),
        ({"option-user": "ann", "option-password": "x", "option-host": "mail.example.com"}, "read the password"),
        ({"option-user": "ann"}, "Type the password of this user."),
        ({"from_address": "nobody"}, "is not an email address"),
        ({"from_name": "Eve <eve@example.com>"}, "Write a name without"),
        ({"limit": "0"}, "greater than or equal to 0.01"),
    ],
)
def test_what_could_not_work_is_refused_with_a_sentence(client, ann, typed, sentence):
    answer = save(client, **smtp(**typed))
    assert answer.status_code == 422
    assert sentence in words(answer)
    assert not ChosenSender.objects.exists()


def test_without_a_host_of_its_own_the_installation_s_server_is_used_and_its_account_not_told(client, ann, settings):
    settings.SMTP_HOST, settings.SMTP_USER, settings.SMTP_PASSWORD = HERE, "house", "house-password"
    settings.SMTP_SECURITY = "none"
    html = client.get(reverse("sender", args=["email"]) + "?sender=smtp").content.decode()
    assert "house-password" not in html
    assert 'value="house"' not in html

    with mail_server(password="house-password", auth_require_tls=False) as sink:
        sink_port, settings.SMTP_PORT = sink.port, sink.port
        settings.SMTP_USER = "ann"
        assert save(client, **smtp(sink_port, **{"option-host": ""})).status_code == 302
        assert "The test to ann@example.com was accepted." in sent_a_test(client)
    assert ChosenSender.objects.get().options == {}


@pytest.mark.parametrize(
    ("channel", "address", "good"),
    [
        ("sms", "ACME", True),
        ("sms", "+254712345678", True),
        ("sms", "A name that is too long", False),
        ("whatsapp", "+254712345678", True),
        ("whatsapp", "ACME", False),
    ],
)
def test_in_whose_name_texts_go_out(client, ann, channel, address, good):
    simulated = {"option-profile": "perfect", "option-seed": "1", "option-honours_keys": "on"}
    answer = save(client, channel, "simulated", from_address=address, limit="", **simulated)
    assert answer.status_code == (302 if good else 422)


def test_smtp_carries_email_only(client, ann):
    page = client.get(reverse("sender", args=["sms"]) + "?sender=smtp")
    assert "Mail server" not in words(page)


def test_the_simulated_provider_is_set_in_percent(client, workspace):
    typed = {"option-profile": "quick", "option-seed": "7", "option-busy": "12.5", "option-retry_after": "3"}
    assert save(client, "sms", "simulated", from_address="", limit="", **typed).status_code == 302
    options = ChosenSender.objects.get().options
    assert (options["busy"], options["hang"], options["honours_keys"]) == (12.5, 0, False)

    too_much = typed | {"option-busy": "60", "option-hang": "60"}
    answer = save(client, "sms", "simulated", from_address="", limit="", **too_much)
    assert "cannot befall more than 100 %" in words(answer)


# --- a test ---


def test_a_test_arrives_and_is_outside_the_books(client, workspace):
    with mail_server() as sink:
        save(client, **smtp(sink.port))
        page = sent_a_test(client, "bob@example.com")

    assert "The test to bob@example.com was accepted. Look into the inbox" in page
    assert (sink.recipients, sink.mails[0]["From"]) == (["bob@example.com"], "Acme <news@acme.example>")
    entry = AuditEntry.objects.get(verb="send_test")
    assert entry.changes["accepted"] == [None, True]
    assert "bob@example.com" not in str(entry.changes)


def test_a_test_by_the_simulated_provider_leaves_no_trace_that_the_audit_would_miss(client, ann, settings):
    settings.SIMULATOR_PROFILE = "perfect"
    assert "The simulated provider accepted the test." in sent_a_test(client)
    assert "The simulated provider accepted the test." in sent_a_test(client, "+254712345678", "sms")
    assert (Call.objects.count(), list(strays())) == (0, [])


def test_a_wrong_password_is_said_in_words(client, ann):
    with mail_server(password="sesame") as sink:
        save(client, **smtp(sink.port, **{"option-user": "ann", "option-password": "wrong"}))
        assert "The server refused the password: check user name and password." in sent_a_test(client)


def test_nobody_there_is_said_in_words(client, ann):
    port = free_port()
    save(client, **smtp(port))
    assert f"Nobody answers at {HERE}:{port}: check host and port." in sent_a_test(client)


def test_a_certificate_for_another_host_is_said_in_words(client, ann, tmp_path):
    context, _ = certificate(tmp_path, "mail.example.com")
    with mail_server(ssl_context=context) as sink:
        save(client, **smtp(sink.port, **{"option-security": "tls"}))
        assert f"is not valid for {HERE}" in sent_a_test(client)


def test_a_refusal_is_told_with_what_the_server_said(client, ann):
    with mail_server() as sink:
        sink.answers["RCPT"] = "550 5.1.1 no such user"
        save(client, **smtp(sink.port))
        assert "The provider refused the test: 550 5.1.1 no such user. Check the address" in sent_a_test(client)
        sink.answers["RCPT"] = "550 5.7.1 relaying denied"
        page = sent_a_test(client)
        assert "takes no mail from us; it says: 550 5.7.1 relaying denied. Check user name, password, the" in page


def test_a_test_whose_answer_does_not_come_ends_in_time(client, ann, monkeypatch):
    monkeypatch.setattr(tryout, "SECONDS", 3)
    with mail_server() as sink, breaking_wire(sink.port, "hang") as wire:
        save(client, **smtp(wire.port))
        assert "The test was handed over, but the answer was not heard" in sent_a_test(client)


def test_a_test_to_nowhere_is_not_sent(client, ann):
    answer = client.post(reverse("test-sender", args=["email"]), {"to": "nowhere"})
    assert answer.status_code == 422
    assert "is not an email address" in words(answer)


# --- outages ---


def test_an_outage_begins_is_seen_and_ends(client, workspace):
    page = words(client.post(reverse("begin-outage"), follow=True))
    assert "The simulated provider is down until" in page
    assert "503 Service Unavailable: an outage is rehearsed" in sent_a_test(client)

    page = words(client.post(reverse("end-outage"), follow=True))
    assert "The outage is over." in page
    assert not Outage.objects.exists()
    assert "The outage was over already." in words(client.post(reverse("end-outage"), follow=True))
    verbs = AuditEntry.objects.filter(workspace_id=workspace.pk).exclude(verb="send_test").order_by("pk")
    assert list(verbs.values_list("verb", flat=True)) == ["begin_outage", "end_outage"]


def test_an_outage_is_only_offered_where_the_simulated_provider_is_used(client, workspace):
    for channel in Channel:
        ChosenSender.objects.create(workspace=workspace, channel=channel, sender="smtp")
    assert "Rehearse a bad day" not in words(client.get(reverse("senders")))


def test_a_sender_that_is_gone_does_not_break_the_page(client, workspace):
    ChosenSender.objects.create(workspace=workspace, channel=Channel.SMS, sender="gone")
    assert "“gone”, which does not exist" in words(client.get(reverse("senders")))
    assert client.get(reverse("sender", args=["sms"])).status_code == 200
    assert "does not exist here" in sent_a_test(client, "+254712345678", "sms")


def test_an_unknown_channel_is_not_found(client, ann):
    assert client.get(reverse("sender", args=["pigeon"])).status_code == 404


def test_one_workspace_does_not_see_the_choice_of_another(client, ann):
    choose.choose(
        make_workspace(),
        Channel.EMAIL,
        sender="smtp",
        from_name="Theirs",
        from_address="",
        limit=None,
        options={"host": "theirs.example.com"},
        by=None,
    )
    html = (
        client.get(reverse("senders")).content.decode() + client.get(reverse("sender", args=["email"])).content.decode()
    )
    assert "theirs" not in html.lower()


# --- manage.py check ---


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"SMTP_SECURITY": "ssl"}, "SMTP_SECURITY is 'ssl'"),
        ({"SMTP_PORT": 0}, "SMTP_PORT must be a port"),
        ({"SENDERS": {"email": "smtp"}}, "SMTP_HOST is empty"),
        ({"SENDERS": {"sms": "smtp"}, "SMTP_HOST": "x"}, "SMTP carries email only"),
        ({"SMTP_USER": "ann"}, "Set both SMTP_USER and SMTP_PASSWORD"),
    ],
)
def test_settings_that_cannot_work_are_named_at_the_start(settings, values, sentence):
    for name, value in values.items():
        setattr(settings, name, value)
    with pytest.raises(SystemCheckError, match=re.escape(sentence)):
        call_command("check")
