"""SMTP: what each answer in each phase means, what a broken wire means, and how connections are used again."""

import asyncio
import uuid
from collections.abc import Callable

import pytest
import uvloop

from dispatcher.senders import smtp
from dispatcher.senders.parcel import Busy, Parcel, Receipt, Refused, Setup, Unreachable, Unsure
from dispatcher.senders.smtp import SmtpSender
from tests.dispatcher.mail_server import HERE, certificate, free_port, mail_server, silent_server, wire_to

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH")


def setup(port: int, **options: object) -> Setup:
    chosen = {"host": HERE, "port": port, "security": "none", "user": "", "password": ""} | options
    return Setup(1, "email", chosen)


def parcel(to: str = "ann@example.com", **fields: object) -> Parcel:
    content = {"sender": '"Acme" <news@acme.example>', "subject": "Hello", "text": "Dear Ann"} | fields
    return Parcel(key=str(uuid.uuid4()), channel="email", to=to, **content)


def hand_over(
    port: int,
    *parcels: Parcel,
    seconds: float = 5,
    one_by_one: bool = False,
    loop: Callable = uvloop.new_event_loop,
    **options: object,
) -> list:
    """What becomes of these, handed over at once by one sender, each with a time limit as the engine sets it."""

    async def one(sender: SmtpSender, each: Parcel) -> object:
        try:
            async with asyncio.timeout(seconds):
                return await sender.send(each)
        except Exception as error:
            return error

    async def run() -> list:
        async with SmtpSender(setup(port, **options)) as sender:
            if one_by_one:
                return [await one(sender, each) for each in parcels]
            return await asyncio.gather(*(one(sender, each) for each in parcels))

    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(run())


def opening(port: int, **options: object) -> str:
    """The sentence with which the sender cannot be opened."""
    with pytest.raises(Unreachable) as refusal:
        hand_over(port, **options)
    return str(refusal.value)


def test_a_mail_arrives_as_it_was_written():
    text = "Liebe Ann,\n.hidden line\n\nGrüße aus Köln ❤\n" + "a long line " * 40
    with mail_server() as sink:
        each = parcel(text=text, subject="Grüße, wie versprochen", sender='"Käse & Söhne" <news@acme.example>')
        answer = hand_over(sink.port, each)[0]

    mail = sink.mails[0]
    assert answer == Receipt("2.0.0 queued as 1")
    assert mail.get_content().replace("\r\n", "\n").rstrip("\n") == text.rstrip("\n")
    assert (mail["Subject"], mail["To"]) == (each.subject, each.to)
    assert mail["From"] == "Käse & Söhne <news@acme.example>"
    assert mail["Message-ID"] == f"<{each.key}@acme.example>"
    assert mail["Date"].datetime.tzinfo is not None


@pytest.mark.parametrize(
    ("phase", "says", "kind", "category"),
    [
        ("MAIL", "421 4.7.0 too many messages", Busy, "rate_limited"),
        ("MAIL", "451 local error", Busy, "provider_down"),
        ("MAIL", "550 5.7.1 not from you", Refused, "rejected"),
        ("RCPT", "450 4.2.1 mailbox busy", Busy, "provider_down"),
        ("RCPT", "452 4.5.3 too many recipients", Busy, "rate_limited"),
        ("RCPT", "451 4.7.1 greylisted", Busy, "rate_limited"),
        ("RCPT", "550 5.1.1 no such user", Refused, "bounced"),
        ("RCPT", "550 5.1.2 bad domain", Refused, "invalid_address"),
        ("RCPT", "553 5.1.3 bad syntax", Refused, "invalid_address"),
        ("RCPT", "552 5.2.2 mailbox full", Refused, "bounced"),
        ("RCPT", "550 5.7.1 relaying denied", Refused, "rejected"),
        ("RCPT", "550 no", Refused, "bounced"),
        ("RCPT", "554 no", Refused, "rejected"),
        ("DATA", "451 try later", Busy, "provider_down"),
        ("DATA", "452 4.3.1 rate limit", Busy, "rate_limited"),
        ("DATA", "554 5.6.0 looks like spam", Refused, "rejected"),
        ("DATA", "552 5.3.4 too big", Refused, "rejected"),
    ],
)
def test_an_answer_means_what_its_code_and_phase_say(phase, says, kind, category):
    with mail_server() as sink:
        sink.answers[phase] = says
        answer = hand_over(sink.port, parcel())[0]

    assert (type(answer), answer.category) == (kind, category)
    assert says[:3] in str(answer)


def test_after_a_refusal_the_same_connection_carries_the_next_mail():
    with mail_server() as sink:
        sink.answers["gone@example.com"] = "550 5.1.1 no such user"
        answers = hand_over(sink.port, parcel("gone@example.com"), parcel(), parcel(), one_by_one=True)

    assert [type(answer) for answer in answers] == [Refused, Receipt, Receipt]
    assert (len(sink.mails), sink.connections) == (2, 1)


def test_many_mails_share_a_few_connections():
    with mail_server() as sink:
        answers = hand_over(sink.port, *(parcel(f"person{n}@example.com") for n in range(200)))

    assert all(isinstance(answer, Receipt) for answer in answers)
    assert len(set(sink.recipients)) == 200
    assert sink.connections <= smtp.CONNECTIONS


@pytest.mark.parametrize(
    ("fault", "kind", "arrived"),
    [("at DATA", Busy, 0), ("after the dot", Unsure, 1), ("reset", Unsure, 1), ("hang", Unsure, 1)],
)
def test_a_loss_is_only_certain_until_the_final_dot(fault, kind, arrived):
    with mail_server() as sink, wire_to(sink.port) as wire:
        wire.fault = fault
        answer = hand_over(wire.port, parcel(text="x" * 300), seconds=1)[0]

    assert isinstance(answer, kind)
    assert len(sink.mails) == arrived


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_large_mail_cut_off_on_its_way_is_provably_not_accepted(loop):
    with mail_server() as sink, wire_to(sink.port) as wire:
        wire.fault = "before the dot"
        answer = hand_over(wire.port, parcel(text="a line of text\n" * 400_000), loop=loop)[0]

    assert (type(answer), answer.category, sink.mails) == (Busy, "network", [])


def test_a_connection_that_went_stale_while_idle_is_replaced_unnoticed():
    with mail_server() as sink, wire_to(sink.port) as wire:
        wire.fault = "stale"
        answers = hand_over(wire.port, *(parcel() for _ in range(5)), one_by_one=True)

    assert all(isinstance(answer, Receipt) for answer in answers)
    assert (len(sink.mails), wire.connections) == (5, 5)


def test_a_connection_idle_for_too_long_is_not_used_again(monkeypatch):
    monkeypatch.setattr(smtp, "IDLE_SECONDS", 0)
    with mail_server() as sink:
        answers = hand_over(sink.port, parcel(), parcel(), one_by_one=True)

    assert all(isinstance(answer, Receipt) for answer in answers)
    assert sink.connections == 3


def test_who_only_waited_for_a_connection_was_not_tried(monkeypatch):
    monkeypatch.setattr(smtp, "CONNECTIONS", 1)
    with mail_server() as sink, wire_to(sink.port) as wire:
        wire.fault = "hang"
        answers = hand_over(wire.port, parcel(), parcel(), seconds=0.7)

    assert sorted(type(answer).__name__ for answer in answers) == ["Busy", "Unsure"]
    busy = next(answer for answer in answers if isinstance(answer, Busy))
    assert not busy.counts


def test_a_server_that_dies_meanwhile_is_unreachable_and_costs_no_try():
    async def run(port: int, stop) -> object:
        async with SmtpSender(setup(port)) as sender:
            await asyncio.to_thread(stop)
            try:
                return await sender.send(parcel())
            except Exception as error:
                return error

    server = mail_server()
    sink = server.__enter__()
    answer = asyncio.run(run(sink.port, lambda: server.__exit__(None, None, None)))

    assert isinstance(answer, Unreachable)
    assert not answer.counts


# --- opening ---


def test_nobody_there_is_said_with_host_and_port():
    port = free_port()
    assert opening(port) == f"Nobody answers at {HERE}:{port}: check host and port."


def test_an_unknown_host_is_said():
    assert "No server is known by the name nowhere.invalid" in opening(25, host="nowhere.invalid")


def test_what_is_not_a_mail_server_is_said():
    with silent_server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        assert "is not a mail server" in opening(port)


def test_silence_is_said(monkeypatch):
    monkeypatch.setattr(smtp, "CONNECT_SECONDS", 0.3)
    with silent_server() as port:
        assert "did not answer in time" in opening(port)


def test_a_greeting_that_turns_us_away_is_said_without_its_words():
    with silent_server(b"554 secret words of an inner machine\r\n") as port:
        assert opening(port) == f"{HERE}:{port} takes no mail from here now: it answered 554."


def test_the_right_password_opens_and_a_wrong_one_is_said():
    with mail_server(password="sesame") as sink:
        assert isinstance(hand_over(sink.port, parcel(), user="ann", password="sesame")[0], Receipt)
        sentence = opening(sink.port, user="ann", password="wrong")
    assert sentence == "The server refused the password: check user name and password."


def test_a_server_of_one_s_own_is_never_told_the_password_of_the_installation(settings):
    settings.SMTP_HOST, settings.SMTP_USER, settings.SMTP_PASSWORD = "house.example", "house", "house-password"
    own = SmtpSender(Setup(1, "email", {"host": "mine.example"}))
    assert (own.host, own.user, own.password) == ("mine.example", "", "")
    assert SmtpSender(Setup(1, "email")).password == "house-password"


def test_a_password_that_nobody_asks_for_is_said():
    with mail_server() as sink:
        assert "takes no user name and password" in opening(sink.port, user="ann", password="x")


@pytest.fixture
def trusted(tmp_path, settings, monkeypatch):
    """TLS of a server for a name, which this installation trusts."""

    def make(name: str):
        context, settings.SMTP_CA_FILE = certificate(tmp_path, name)
        monkeypatch.setattr(smtp, "_context", None)
        return context

    return make


def test_tls_from_the_first_byte(trusted):
    with mail_server(ssl_context=trusted(HERE)) as sink:
        assert isinstance(hand_over(sink.port, parcel(), security="tls")[0], Receipt)


def test_starttls_and_the_password_behind_it(trusted):
    options = {"tls_context": trusted(HERE), "require_starttls": True, "auth_require_tls": True}
    with mail_server(password="sesame", **options) as sink:
        answer = hand_over(sink.port, parcel(), security="starttls", user="ann", password="sesame")[0]
    assert isinstance(answer, Receipt)


@pytest.mark.parametrize(("security", "option"), [("tls", "ssl_context"), ("starttls", "tls_context")])
def test_a_certificate_for_another_host_is_said(trusted, security, option):
    with mail_server(**{option: trusted("mail.example.com")}) as sink:
        assert f"is not valid for {HERE}" in opening(sink.port, security=security)


def test_a_certificate_nobody_vouches_for_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(smtp, "_context", None)
    context, _ = certificate(tmp_path, HERE)
    with mail_server(ssl_context=context) as sink:
        assert "is not valid for" in opening(sink.port, security="tls")


def test_a_server_without_starttls_is_said():
    with mail_server() as sink:
        assert "offers no STARTTLS" in opening(sink.port, security="starttls")


def test_the_wrong_kind_of_encryption_is_said():
    with mail_server() as sink:
        assert "choose the other kind of encryption" in opening(sink.port, security="tls")


def test_neither_addresses_nor_passwords_are_logged(caplog):
    caplog.set_level("DEBUG")
    with mail_server(password="sesame") as sink, wire_to(sink.port) as wire:
        sink.answers["gone@example.com"] = "550 5.1.1 no such user gone@example.com"
        hand_over(wire.port, parcel(), parcel("gone@example.com"), user="ann", password="sesame")
        wire.fault = "after the dot"
        hand_over(wire.port, parcel(), user="ann", password="sesame")
        opening(sink.port, user="ann", password="open-sesame")

    ours = "\n".join(
        record.getMessage() for record in caplog.records if record.name != "mail.log"
    )  # that is the sink's
    assert "sesame" not in ours
    assert "@example.com" not in ours


# --- addresses and headers ---


def test_an_address_with_foreign_letters_goes_where_the_server_takes_it():
    with mail_server(enable_SMTPUTF8=True) as sink:
        answer = hand_over(sink.port, parcel("ünal@example.com"))[0]
    assert isinstance(answer, Receipt)
    assert sink.recipients == ["ünal@example.com"]


def test_and_is_refused_where_the_server_does_not():
    with mail_server(enable_SMTPUTF8=False) as sink:
        answers = hand_over(sink.port, parcel("ünal@example.com"), parcel(), one_by_one=True)
    assert [type(answer) for answer in answers] == [Refused, Receipt]
    assert answers[0].category == "invalid_address"


def test_a_domain_with_foreign_letters_is_written_in_ascii():
    with mail_server(enable_SMTPUTF8=False) as sink:
        hand_over(sink.port, parcel("ann@müller.example"))
    assert sink.recipients == ["ann@xn--mller-kva.example"]


@pytest.mark.parametrize(
    "to", ["a b@example.com", "a@b@example.com>", "<x>@example.com", "x,y@example.com", "@x", "x@"]
)
def test_an_address_that_would_say_something_else_to_the_server_is_refused(to):
    with mail_server() as sink:
        answer = hand_over(sink.port, parcel(to))[0]
    assert (type(answer), answer.category, sink.mails) == (Refused, "invalid_address", [])


@pytest.mark.parametrize(
    "fields",
    [
        {"subject": "Hello\r\nBcc: eve@example.com"},
        {"subject": "Hello\nthere"},
        {"headers": {"X-A\r\nBcc": "eve@example.com"}},
        {"headers": {"X-A": "b\nBcc: eve@example.com"}},
        {"headers": {"Subject": "another"}},
    ],
)
def test_nothing_can_slip_another_header_in(fields):
    with mail_server() as sink:
        answer = hand_over(sink.port, parcel(**fields))[0]
    assert (type(answer), sink.mails) == (Refused, [])


def test_a_mail_with_html_carries_both_texts():
    with mail_server() as sink:
        hand_over(
            sink.port, parcel(html="<p>Dear <b>Ann</b></p>", headers={"List-Unsubscribe": "<https://x.example/u>"})
        )
    mail = sink.mails[0]
    assert mail.get_body(("plain",)).get_content().strip() == "Dear Ann"
    assert mail.get_body(("html",)).get_content().strip() == "<p>Dear <b>Ann</b></p>"
    assert mail["List-Unsubscribe"] == "<https://x.example/u>"
