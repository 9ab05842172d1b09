"""A reply is kept, and does what it says: for this workspace, this channel, and nobody else."""

import pytest
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import Role
from dispatcher.erase import erase
from people import suppression
from people.channels import Channel
from people.consent import How, Wish
from people.keywords import FAMILIES, LANGUAGES, USUAL, bare, clashes, understood
from people.models import ConsentSettings, Reply, Suppression
from people.replies import Meaning, NoReplies, receive_reply
from tests.api.calls import Program, error_of
from tests.make import logged_in, make_member, make_recipient, make_workspace
from tests.people.suppressed import is_suppressed

NUMBER = "+254712345678"
NOTHING_CHOSEN = ConsentSettings()


def reply(workspace, text: str, **options) -> Reply:
    return receive_reply(workspace, options.pop("channel", Channel.SMS), NUMBER, text, by=None, **options)


SAID = {
    Meaning.STOP: [
        "STOP", " stop. ", "Stop!!! 🛑", "“S\u200btop”", "stop\ufe0f\n", "STOP ALL", "opt-out", "ＳＴＯＰ",
        "Arret", "ARRÊT", "arre\u0302t", "acha", "Abmelden", "¡Baja!", "Sair", "توقف", "إيقاف",
        "\u200fايقاف\u200f",
    ],
    Meaning.START: [
        "Start", "comecar", "anza 🙂",
    ],
    Meaning.HELP: [
        "HELP?", "Hilfe", "مساعدة",
    ],
    Meaning.NONE: [
        "Stop by my shop tomorrow", "non-stop", "yes", "", "🛑", "?!",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("text", "meaning"), [(text, meaning) for meaning, texts in SAID.items() for text in texts])
def test_a_word_is_understood_whatever_stands_around_it_and_a_sentence_is_not(text, meaning):
    assert understood(text, NOTHING_CHOSEN) == meaning


@settings(max_examples=50)
@given(st.text(max_size=40))
def test_any_text_is_read_without_a_fault(text):
    assert understood(text, NOTHING_CHOSEN) in Meaning
    assert bare(bare(text)) == bare(text)


def test_the_usual_words_mean_one_thing_each():
    assert [*clashes(USUAL)] == []
    assert {*USUAL} == {*LANGUAGES}
    assert all({*families} == {*FAMILIES} for families in USUAL.values())


@pytest.mark.django_db
def test_stop_ends_this_channel_and_start_begins_it_again(workspace):
    person = make_recipient(workspace, phone=NUMBER)

    kept = reply(workspace, "Stop!")
    person.refresh_from_db()
    assert person.refused_channels == [Channel.SMS]
    event = person.consent_events.get()
    assert (event.wish, event.channel, event.how) == (Wish.OUT, Channel.SMS, How.REPLY)
    assert event.evidence == {"reply": kept.pk, "text": "Stop!"}

    reply(workspace, "START")
    person.refresh_from_db()
    assert person.refused_channels == []


@pytest.mark.django_db
def test_a_stop_to_one_workspace_leaves_the_others_alone(workspace):
    other = make_workspace()
    ours, theirs = make_recipient(workspace, phone=NUMBER), make_recipient(other, phone=NUMBER)

    reply(workspace, "STOP")

    ours.refresh_from_db()
    theirs.refresh_from_db()
    assert (ours.refused_channels, theirs.refused_channels) == ([Channel.SMS], [])
    assert not is_suppressed(other, NUMBER)


@pytest.mark.django_db
def test_a_stop_of_a_number_nobody_has_holds_when_it_comes_with_the_next_list(workspace):
    reply(workspace, "STOP")

    person = make_recipient(workspace, phone=NUMBER)
    suppression.look_at([person.pk])
    person.refresh_from_db()
    assert person.phone_suppressed

    reply(workspace, "START")
    person.refresh_from_db()
    assert not person.phone_suppressed


@pytest.mark.django_db
def test_start_does_not_undo_what_others_put_on_the_list(workspace):
    make_recipient(workspace, phone=NUMBER)
    suppression.suppress(workspace, NUMBER, reason=Suppression.Reason.COMPLAINED, by=None)

    reply(workspace, "START")

    assert is_suppressed(workspace, NUMBER)


@pytest.mark.django_db
def test_what_is_passed_on_twice_is_received_once(workspace):
    first = reply(workspace, "STOP", provider_id="SM1")
    reply(workspace, "START", provider_id="SM2")
    again = reply(workspace, "STOP", provider_id="SM1")

    assert first == again
    assert workspace.replies.count() == 2
    assert not is_suppressed(workspace, NUMBER)


@pytest.mark.django_db
def test_a_start_that_a_colleague_types_in_opts_nobody_in(workspace):
    person, ann = make_recipient(workspace, phone=NUMBER), make_member(workspace)
    receive_reply(workspace, Channel.SMS, NUMBER, "STOP", by=ann)

    receive_reply(workspace, Channel.SMS, NUMBER, "START", by=ann)

    person.refresh_from_db()
    assert person.refused_channels == [Channel.SMS]
    assert [(event.wish, event.by) for event in person.consent_events.all()] == [(Wish.OUT, ann)]


@pytest.mark.django_db
def test_what_a_program_passes_on_names_its_key():
    program = Program(make_workspace())
    person = make_recipient(program.workspace, phone=NUMBER)

    for text in ("STOP", "START"):
        program.post("/api/replies", {"channel": "sms", "from": NUMBER, "text": text})

    events = person.consent_events.order_by("pk").values_list("wish", "key")
    assert list(events) == [(Wish.OUT, program.key.pk), (Wish.IN, program.key.pk)]


@pytest.mark.django_db
def test_a_reply_that_is_passed_on_again_after_its_sender_was_erased_keeps_nothing_of_them(workspace):
    person = make_recipient(workspace, phone=NUMBER)
    first = reply(workspace, "My name is Ann", provider_id="SM1")
    erase(person, by=None)

    again = reply(workspace, "My name is Ann", provider_id="SM1")
    later = reply(workspace, "START", provider_id="SM2")

    assert (again, workspace.replies.count()) == (first, 2)
    assert reply(workspace, "START", provider_id="SM2") == later
    for kept in workspace.replies.all():
        assert (kept.number, kept.text) == ("", "") and "SM" not in kept.provider_id
    assert suppression.erased_among(workspace, [NUMBER]) == {NUMBER}


@pytest.mark.django_db
def test_nobody_replies_to_an_email(workspace):
    with pytest.raises(NoReplies):
        reply(workspace, "STOP", channel=Channel.EMAIL)


@pytest.mark.django_db
def test_a_program_passes_a_reply_on_and_hears_what_it_means():
    program = Program(make_workspace())
    person = make_recipient(program.workspace, phone=NUMBER)

    answer = program.post(
        "/api/replies", {"channel": "whatsapp", "from": "+254 712 345 678", "text": "acha", "id": "1"}
    )

    assert answer.status_code == 201
    assert answer.json() | {"received_at": ""} == {
        "id": Reply.objects.get().pk,
        "customer_id": person.pk,
        "meaning": "stop",
        "received_at": "",
    }
    person.refresh_from_db()
    assert person.refused_channels == [Channel.WHATSAPP]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "field"),
    [({"from": "12"}, "from"), ({"channel": "email"}, "channel"), ({"id": "a\nb"}, "id"), ({"more": 1}, "more")],
)
def test_a_reply_that_cannot_be_read_is_refused_by_field(change, field):
    program = Program(make_workspace())

    answer = program.post("/api/replies", {"channel": "sms", "from": NUMBER, "text": "STOP"} | change)

    assert answer.status_code == 400
    assert field in error_of(answer)["details"]
    assert Reply.objects.count() == 0


@pytest.mark.django_db
def test_the_page_shows_replies_by_kind_and_notes_one(workspace):
    person = make_recipient(workspace, phone=NUMBER, first_name="Grace", last_name="Njeri")
    editor = logged_in(workspace, Role.MARKETER)
    typed = {"channel": Channel.SMS.value, "number": NUMBER, "text": "<b>When</b> do you open?"}
    editor.post(reverse("note-reply"), typed)
    editor.post(reverse("note-reply"), typed | {"text": "stop"})
    person.refresh_from_db()
    assert person.refused_channels == [Channel.SMS]

    everything = editor.get(reverse("replies")).content.decode()
    assert "&lt;b&gt;When&lt;/b&gt; do you open?" in everything
    assert "Grace Njeri" in everything
    assert "do you open?" in editor.get(reverse("person", args=[person.pk])).content.decode()
    assert [row.text for row in editor.get(reverse("replies"), {"kind": "stop"}).context["rows"]] == ["stop"]
    assert editor.post(reverse("note-reply"), typed | {"number": "12"}).status_code == 422


@pytest.mark.django_db
def test_a_workspace_chooses_its_words_and_stop_always_stops(workspace):
    admin = logged_in(workspace, Role.ADMIN)
    form = admin.get(reverse("consent-settings")).context["form"]
    shown = {name: form[name].value() for name in form.fields if form[name].value()}
    assert "stop" in shown["en_stop"]

    admin.post(reverse("consent-settings"), shown | {"en_stop": "Nope, enough", "sms_link": "on"})

    chosen = ConsentSettings.of(workspace)
    assert (chosen.sms_link, chosen.whatsapp_link, chosen.words) == (True, False, {"en": {"stop": ["Nope", "enough"]}})
    meant = [understood(text, chosen) for text in ("NOPE!", "quit", "stop", "acha")]
    assert meant == [Meaning.STOP, Meaning.NONE, Meaning.STOP, Meaning.STOP]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"en_start": "go, Stop"}, "“Stop” stands for stop, too"),
        ({"en_start": "go", "sw_help": "Go!"}, "“go” stands for help, too"),
        ({"en_start": "go", "sw_help": "Go!"}, "“Go!” stands for start, too"),
        ({"de_help": "!!"}, "neither letter nor digit"),
        ({"sw_stop": ",".join(f"w{n}" for n in range(21))}, "20 are the most"),
        ({"fr_stop": "x" * 41}, "longer than 40"),
    ],
)
def test_words_that_cannot_work_are_refused_with_a_sentence(workspace, typed, sentence):
    answer = logged_in(workspace, Role.ADMIN).post(reverse("consent-settings"), typed)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not ConsentSettings.objects.exists()


@pytest.mark.django_db
def test_a_colleague_who_notes_a_reply_is_named_by_it(workspace):
    ann = make_member(workspace)

    assert receive_reply(workspace, Channel.SMS, NUMBER, "hello", by=ann).by == ann


@pytest.mark.django_db
def test_programs_read_the_replies_of_a_kind():
    program = Program(make_workspace(), Role.MARKETER)
    for text in ("STOP", "thanks"):
        program.post("/api/replies", {"channel": "sms", "from": NUMBER, "text": text})

    assert [row["text"] for row in program.walk("/api/replies")] == ["thanks", "STOP"]
    (stop,) = program.get("/api/replies", meaning="stop").json()["data"]
    assert (stop["number"], stop["channel"], stop["meaning"]) == (NUMBER, "sms", "stop")
