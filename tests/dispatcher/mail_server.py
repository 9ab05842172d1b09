"""Real mail servers on this machine, with the answers a test wants, and a wire in between that can break."""

import asyncio
import datetime
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.wire import HERE, Fault, Plain, Wire, in_a_thread, wire_to


class Sink:
    """Takes every mail, unless `answers` says otherwise by phase (MAIL, RCPT, DATA) or by recipient."""

    def __init__(self) -> None:
        self.port = 0
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.raw: list[bytes] = []
        self.answers: dict[str, str] = {}
        self.connections = 0
        self.turned_away = 0  # connections above `at_most`

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        if answer := self.answers.get("MAIL"):
            return answer
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if answer := self.answers.get(address) or self.answers.get("RCPT"):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if answer := self.answers.get("DATA"):
            return answer
        self.raw.append(envelope.content)
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        self.recipients += envelope.rcpt_tos
        return f"250 2.0.0 queued as {len(self.mails)}"


class NarrowController(Controller):
    """Greets only so many at once; others are turned away, as many servers do."""

    def __init__(self, sink: Sink, *, at_most: int, **options) -> None:
        self.at_most = at_most
        self.inside: set[SMTP] = set()
        super().__init__(sink, **options)

    def factory(self) -> SMTP:
        server, inside = super().factory(), self.inside
        made, lost, received, ended = (
            server.connection_made,
            server.connection_lost,
            server.data_received,
            server.eof_received,
        )

        def connection_made(transport) -> None:
            if len(inside) >= self.at_most:
                self.handler.turned_away += 1
                transport.write(b"421 4.7.0 too many connections from you\r\n")
                transport.close()
            else:
                inside.add(server)
                made(transport)

        def connection_lost(error) -> None:
            if server in inside:
                inside.remove(server)
                lost(error)

        server.connection_made, server.connection_lost = connection_made, connection_lost
        server.data_received = lambda data: received(data) if server in inside else None
        server.eof_received = lambda: ended() if server in inside else None
        return server


def free_port() -> int:
    with socket.socket() as free:
        free.bind((HERE, 0))
        return free.getsockname()[1]


@contextmanager
def mail_server(*, password: str = "", at_most: int = 10_000, **options) -> Iterator[Sink]:
    """A server for the time of the block, with room for so many at once.

    With a password only the user "ann" who knows it is let in.
    """
    sink = Sink()
    sink.port = free_port()
    if password:

        def authenticate(server, session, envelope, mechanism, data):
            right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"ann", password.encode())
            return AuthResult(success=right, handled=False)

        options |= {"authenticator": authenticate, "auth_required": True}
        options.setdefault("auth_require_tls", False)
    address = {"hostname": HERE, "port": sink.port, "server_hostname": "sink"}
    controller = NarrowController(sink, at_most=at_most, **address, **options)
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, str]:
    """A server's TLS context for this name, made and signed here, and the file of the authority to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    named = x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([named]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    authority = folder / f"{name}.ca"
    authority.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return context, str(authority)


class SmtpReader(Plain):
    """Knows when a mail is announced ("DATA"), carried ("mail") and answered ("answer to mail")."""

    def __init__(self) -> None:
        self.seen = b""
        self.mail = ""

    def there(self, data: bytes) -> set[str]:
        moments = {"DATA"} if data.endswith(b"DATA\r\n") else set()
        self.seen = (self.seen + data)[-70_000:]
        if self.mail == "begun" and b"\r\nDATA\r\n" in b"\r\n" + self.seen:
            moments.add("mail")
            if self.seen.endswith(b"\r\n.\r\n"):
                self.seen, self.mail = b"", "ended"
        return moments

    def back(self, data: bytes) -> set[str]:
        if data.startswith(b"354"):
            self.mail = "begun"
        elif self.mail == "ended":
            self.mail = ""
            return {"answer to mail"}
        return set()


BREAKS = {
    "at DATA": Fault("DATA", "hang up"),
    "before the dot": Fault("mail", "hang up"),
    "after the dot": Fault("answer to mail", "hang up"),  # the server has the mail, its answer is lost
    "hang": Fault("answer to mail", "hang"),
    "reset": Fault("answer to mail", "reset"),
    "stale": Fault("answer to mail", "hang up after"),
}


@contextmanager
def breaking_wire(server: int, how: str = "", times: int = 10**9) -> Iterator[Wire]:
    """A wire to the mail server on this port that breaks in one of these ways, for so many mails."""
    with wire_to(server, SmtpReader) as wire:
        if how:
            wire.break_by(BREAKS[how], times)
        yield wire


@contextmanager
def silent_server(greeting: bytes = b"") -> Iterator[int]:
    """A port that answers with this greeting and then nothing."""

    async def greet(reader, writer):
        writer.write(greeting)
        try:
            await reader.read()
        finally:
            writer.close()

    with in_a_thread(lambda: asyncio.start_server(greet, HERE, 0)) as server:
        yield server.sockets[0].getsockname()[1]
