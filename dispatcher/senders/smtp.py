"""The sender to any mail server: SMTP over a few reused connections.

Everything up to the final dot is provably not accepted when it fails; what fails after it may have been.
"""

import asyncio
from typing import Any

import aiosmtplib
from django.conf import settings

from dispatcher.senders.mail import author, envelope, letter
from dispatcher.senders.parcel import Busy, Parcel, Receipt, Refused, Setup, Unreachable, Unsure
from dispatcher.senders.smtp_connections import CONNECTIONS, Connections
from dispatcher.senders.smtp_options import ACCOUNT, SmtpOptions
from dispatcher.senders.smtp_replies import hangs_up, of_all
from dispatcher.senders.smtp_weighing import Weighing

NOTHING_CHOSEN = {"port": 587, "security": "starttls", "user": "", "password": ""}


class NotTaken(Exception):
    """The server answered the mail with something else than yes, in this phase."""

    def __init__(self, reply: aiosmtplib.SMTPResponse, phase: str) -> None:
        self.reply, self.phase = reply, phase
        super().__init__(phase)


class SmtpSender:
    """Hands mail to one server. It may go out twice if it is sent twice: SMTP knows no keys."""

    title = "Mail server (SMTP)"
    about = "Any mail server: your own, your company’s or a provider’s."
    channels = ("email",)
    options = SmtpOptions
    account = ACCOUNT
    honours_keys = None
    remembers_refusals = False
    at_once = 5 * CONNECTIONS  # what waits for a connection is noted as handed over: little of it, then

    def __init__(self, setup: Setup) -> None:
        # All from one place: nobody's own host is told the password of the installation.
        chosen = {**NOTHING_CHOSEN, **setup.options} if setup.options.get("host") else self.defaults()
        self.host, self.port = str(chosen["host"]), int(chosen["port"])
        self.user, self.password = chosen["user"], chosen["password"]
        self._connections = Connections(
            host=self.host, port=self.port, security=chosen["security"], user=self.user, password=self.password
        )
        self._weighing = Weighing()

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """As SMTP_* say."""
        names = ("host", "port", "security", "user", "password")
        return {name: getattr(settings, f"SMTP_{name.upper()}") for name in names}

    async def __aenter__(self) -> "SmtpSender":
        """Connect and log in once, so that a wrong password is known before anybody is written to."""
        if not self.host:
            raise Unreachable("No mail server is named: set its host in the settings of senders.", retry_after=60)
        self._connections.keep(await self._connections.connect())
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._connections.close()

    async def send(self, parcel: Parcel) -> Receipt:
        """Hand one mail over. Raises Busy, Unreachable, Refused or Unsure."""
        to, needs_utf8 = envelope(parcel.to)
        _, sender = author(parcel.sender)
        mail = letter(parcel, to)
        handing = _Handing()
        try:
            try:
                receipt = await self._connections.in_turn(lambda: self._converse(sender, to, needs_utf8, mail, handing))
            except NotTaken as answer:
                handing.ended = False  # whatever was handed over: it was answered
                raise await self._weighing.verdict(answer.reply, answer.phase, parcel.tries) from None
        except asyncio.CancelledError:  # the time for this call is over
            if handing.ended:
                raise Unsure("The server did not answer in time after it had the whole mail.") from None
            counts = handing.begun  # who only waited for a free connection has not been tried
            raise Busy("The server did not answer in time.", category="timeout", counts=counts) from None
        except aiosmtplib.SMTPException as error:
            if handing.ended:
                sentence = "The connection was lost after the whole mail was handed over."
                raise Unsure(sentence, category="network") from error
            raise Busy("The connection to the mail server was lost.", category="network") from error
        self._weighing.accepted()
        return receipt

    async def _converse(self, sender: str, to: str, needs_utf8: bool, mail: bytes, handing: "_Handing") -> Receipt:
        client = await self._begun(sender, needs_utf8, handing)
        try:
            reply = await client.execute_command(b"RCPT", f"TO:<{to}>".encode(), timeout=None)
            if not 200 <= reply.code < 300:
                raise NotTaken(reply, "RCPT")
            reply = await client.execute_command(b"DATA", timeout=None)
            if reply.code != 354:
                raise NotTaken(reply, "DATA")
            reply = await self._hand_over(client, mail, handing)
        except NotTaken:
            await self._connections.reset(client)
            raise
        except BaseException:
            self._connections.drop(client)
            raise
        self._connections.keep(client)
        if reply.code >= 400:
            raise NotTaken(reply, "the mail")
        if not 200 <= reply.code < 300:
            raise Unsure(f"The server answered the whole mail with {reply.code}, which is neither yes nor no.")
        return Receipt(reply.message.strip() or "accepted")

    async def _begun(self, sender: str, needs_utf8: bool, handing: "_Handing") -> aiosmtplib.SMTP:
        """A connection on which MAIL was accepted. One that went stale while idle is replaced: nothing was said yet."""
        handing.begun = False
        while True:
            client, is_fresh = await self._connections.take()
            handing.begun = True
            try:
                if needs_utf8 and not client.supports_extension("smtputf8"):
                    self._connections.keep(client)
                    sentence = "The mail server takes no address with such letters before the @."
                    raise Refused(sentence, category="invalid_address")
                words = f"FROM:<{sender}>{' BODY=8BITMIME SMTPUTF8' if needs_utf8 else ''}".encode()
                reply = await client.execute_command(b"MAIL", words, timeout=None)
            except (aiosmtplib.SMTPException, OSError):
                self._connections.drop(client)
                if is_fresh:
                    raise
                continue
            except asyncio.CancelledError:
                self._connections.drop(client)
                raise
            if 200 <= reply.code < 300:
                return client
            if reply.code == 421 and not is_fresh:
                self._connections.drop(client)
                continue
            if hangs_up(reply):
                self._connections.drop(client)
                raise self._connections.no_more(of_all(reply))
            await self._connections.reset(client)
            # With SMTPUTF8 it may be about the recipient's address.
            raise NotTaken(reply, "RCPT" if needs_utf8 else "MAIL")

    async def _hand_over(self, client: aiosmtplib.SMTP, mail: bytes, handing: "_Handing") -> aiosmtplib.SMTPResponse:
        """The mail, and only when all of it has left this process the final dot."""
        protocol, transport = client.protocol, client.transport
        if protocol is None or transport is None:
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        protocol.write(mail)
        await asyncio.sleep(0)
        while transport.get_write_buffer_size():  # type: ignore[attr-defined]
            await asyncio.sleep(0.001)
        if not client.is_connected:
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        handing.ended = True
        protocol.write(b".\r\n")
        return await protocol.read_response()


class _Handing:
    """How far a mail got: whether a connection was had for it, and whether the final dot was sent."""

    begun = ended = False
