"""The sender to any mail server: SMTP over a few reused connections.

Everything up to the final dot is provably not accepted when it fails; what fails after it may have been.
"""

import asyncio
import ssl
import time
from typing import Any

import aiosmtplib
from django.conf import settings

from dispatcher.senders.mail import address_of, envelope, letter
from dispatcher.senders.parcel import Busy, Parcel, Receipt, Refused, Setup, Unreachable, Unsure
from dispatcher.senders.smtp_options import ACCOUNT, SmtpOptions
from dispatcher.senders.smtp_replies import not_opened, not_taken

CONNECTIONS = 20
IDLE_SECONDS = 20  # servers hang up on the idle, many after half a minute
CONNECT_SECONDS = 7
NOTHING_CHOSEN = {"port": 587, "security": "starttls", "user": "", "password": ""}
HOLD_OFF = 2.0  # seconds for which one failed connection speaks for all that wait

Reply = tuple[int, str]


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
        self.security, self.user, self.password = chosen["security"], chosen["user"], chosen["password"]
        self._free = asyncio.Semaphore(CONNECTIONS)
        self._idle: list[tuple[float, aiosmtplib.SMTP]] = []
        self._fault: tuple[float, Unreachable] | None = None

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """As SMTP_* say."""
        names = ("host", "port", "security", "user", "password")
        return {name: getattr(settings, f"SMTP_{name.upper()}") for name in names}

    async def __aenter__(self) -> "SmtpSender":
        """Connect and log in once, so that a wrong password is known before anybody is written to."""
        if not self.host:
            raise Unreachable("No mail server is named: set its host in the settings of senders.", retry_after=60)
        self._keep(await self._connect())
        return self

    async def __aexit__(self, *error: object) -> None:
        idle, self._idle = self._idle, []
        await asyncio.gather(*(self._leave(client) for _, client in idle), return_exceptions=True)

    async def send(self, parcel: Parcel) -> Receipt:
        """Hand one mail over. Raises Busy, Unreachable, Refused or Unsure."""
        to, needs_utf8 = envelope(parcel.to)
        mail = letter(parcel, to)
        handing = _Handing()
        try:
            async with self._free:
                return await self._converse(address_of(parcel.sender), to, needs_utf8, mail, handing)
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

    async def _converse(self, sender: str, to: str, needs_utf8: bool, mail: bytes, handing: "_Handing") -> Receipt:
        client = await self._begun(sender, needs_utf8, handing)
        try:
            reply = await client.execute_command(b"RCPT", f"TO:<{to}>".encode(), timeout=None)
            if not 200 <= reply.code < 300:
                raise not_taken(reply, "RCPT")
            reply = await client.execute_command(b"DATA", timeout=None)
            if reply.code != 354:
                raise not_taken(reply, "DATA")
            reply = await self._hand_over(client, mail, handing)
        except (Busy, Refused):
            await self._reset(client)
            raise
        except BaseException:
            _drop(client)
            raise
        self._keep(client)
        if reply.code >= 400:
            raise not_taken(reply, "the mail")
        if not 200 <= reply.code < 300:
            raise Unsure(f"The server answered the whole mail with {reply.code}, which is neither yes nor no.")
        return Receipt(reply.message.strip() or "accepted")

    async def _begun(self, sender: str, needs_utf8: bool, handing: "_Handing") -> aiosmtplib.SMTP:
        """A connection on which MAIL was accepted. One that went stale while idle is replaced: nothing was said yet."""
        while True:
            client, is_fresh = await self._connection()
            handing.begun = True
            try:
                if needs_utf8 and not client.supports_extension("smtputf8"):
                    self._keep(client)
                    sentence = "The mail server takes no address with such letters before the @."
                    raise Refused(sentence, category="invalid_address")
                words = f"FROM:<{sender}>{' BODY=8BITMIME SMTPUTF8' if needs_utf8 else ''}".encode()
                reply = await client.execute_command(b"MAIL", words, timeout=None)
            except (aiosmtplib.SMTPException, OSError):
                _drop(client)
                if is_fresh:
                    raise
                continue
            except asyncio.CancelledError:
                _drop(client)
                raise
            if 200 <= reply.code < 300:
                return client
            if reply.code == 421 and not is_fresh:
                _drop(client)
                continue
            await self._reset(client)
            raise not_taken(reply, "MAIL")

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

    # --- connections ---

    async def _connection(self) -> tuple[aiosmtplib.SMTP, bool]:
        """One that is idle, the last used first, or a new one; and whether it is new. Raises Unreachable."""
        while self._idle:
            since, client = self._idle.pop()
            if client.is_connected and time.monotonic() - since < IDLE_SECONDS:
                return client, False
            _drop(client)
        if self._fault and time.monotonic() - self._fault[0] < HOLD_OFF:
            raise self._fault[1]
        return await self._connect(), True

    async def _connect(self) -> aiosmtplib.SMTP:
        client = aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            username=self.user or None,
            password=self.password if self.user else None,
            use_tls=self.security == "tls",
            start_tls=self.security == "starttls",
            tls_context=_tls() if self.security != "none" else None,
            timeout=CONNECT_SECONDS,
            local_hostname=settings.SMTP_HELLO or None,
        )
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await client.connect()
                if client.is_ehlo_or_helo_needed:
                    await client.ehlo()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:  # TimeoutError is an OSError
            _drop(client)
            await asyncio.sleep(0)  # for the transport to close before a loop that ends with us does
            self._fault = time.monotonic(), not_opened(error, self.host, self.port)
            raise self._fault[1] from error
        return client

    def _keep(self, client: aiosmtplib.SMTP) -> None:
        if client.is_connected:
            self._idle.append((time.monotonic(), client))

    async def _reset(self, client: aiosmtplib.SMTP) -> None:
        """Make the server forget a mail that came to nothing, and keep the connection."""
        try:
            async with asyncio.timeout(2):
                await client.rset(timeout=None)
        except (aiosmtplib.SMTPException, OSError):
            _drop(client)
        else:
            self._keep(client)

    async def _leave(self, client: aiosmtplib.SMTP) -> None:
        try:
            async with asyncio.timeout(1):
                await client.quit(timeout=None)
        finally:
            _drop(client)


class _Handing:
    """How far a mail got: whether a connection was had for it, and whether the final dot was sent."""

    begun = ended = False


def _drop(client: aiosmtplib.SMTP) -> None:
    """Hang up without a word: what is still in the buffer must not leave."""
    if client.transport is not None:
        client.transport.abort()  # type: ignore[attr-defined]
    client.close()


_context: ssl.SSLContext | None = None


def _tls() -> ssl.SSLContext:
    """Certificates are always checked. Made once: reading the list of authorities takes 20 ms."""
    global _context
    if _context is None:
        _context = ssl.create_default_context(cafile=settings.SMTP_CA_FILE or None)
    return _context
