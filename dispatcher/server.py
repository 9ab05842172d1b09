"""The web server: daphne, with limits on what a stranger may make it hold or wait for."""

import contextvars
import json
import logging
from http import HTTPStatus
from typing import Any, cast

# First: it installs the asyncio reactor, which every other import of Twisted would prevent.
import daphne.server  # isort: skip
from daphne.endpoints import build_endpoint_description_strings
from daphne.http_protocol import HTTPFactory, WebRequest
from twisted.internet.protocol import connectionDone
from twisted.web.http import RESPONSES, HTTPChannel

from accounts.origin import HEADER, PATH_SIGNS, new_number

logger = logging.getLogger(__name__)

SILENCE_SECONDS = 15  # no byte of a request that has begun, or of the first one of a connection
HEADER_SECONDS = 60  # the whole header
BODY_SECONDS = 300  # the whole body
KEEP_ALIVE_SECONDS = 75  # between requests; longer than proxies keep theirs, or they meet a closed door
LINGER_SECONDS = 2  # after a refusal: a connection closed with bytes unread takes the answer with it
ANSWER_SECONDS = 60  # the whole response
FRAME_BYTES = 64 * 1024  # of a WebSocket; browsers send us next to nothing

# Twisted calls what is younger than itself, such as 429, "Unknown Status".
RESPONSES.update({status.value: status.phrase.encode() for status in HTTPStatus if status.value not in RESPONSES})

FORWARDED = (b"X-Forwarded-For", b"X-Forwarded-Port", b"X-Forwarded-Proto")


class Server(daphne.server.Server):
    """Serves an ASGI application until SIGTERM or SIGINT; `failed` when it could not listen."""

    def __init__(
        self, application: Any, *, host: str, port: int, max_body_bytes: int, trusted_proxy: bool = False
    ) -> None:
        self.max_body_bytes = max_body_bytes
        self.trusted_proxy = trusted_proxy
        super().__init__(
            application,
            endpoints=build_endpoint_description_strings(host=host, port=port),
            action_logger=log,
            http_timeout=ANSWER_SECONDS,
            websocket_handshake_timeout=SILENCE_SECONDS,
            websocket_max_message_size=FRAME_BYTES,
            websocket_max_frame_size=FRAME_BYTES,
            ping_interval=20,
            ping_timeout=30,
            proxy_forwarded_address_header="X-Forwarded-For" if trusted_proxy else None,
            proxy_forwarded_port_header="X-Forwarded-Port" if trusted_proxy else None,
            proxy_forwarded_proto_header="X-Forwarded-Proto" if trusted_proxy else None,
            server_name="",
        )

    @property
    def failed(self) -> bool:
        return self.abort_start

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """With nothing of the request before it: what comes in the same packet is begun from within that one."""
        return contextvars.Context().run(super().create_application, protocol, scope)


class Request(WebRequest):
    """A request whose body is counted as it comes and left unparsed, for Django to read."""

    error_template = "<!doctype html><title>%(title)s</title><p>%(body)s</p>"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args, parsePOSTFormSubmission=False)
        self.body_bytes = 0

    def handleContentChunk(self, data: bytes) -> None:
        self.body_bytes += len(data)
        if self.body_bytes > self.server.max_body_bytes:
            self.channel.refuse_body()
        else:
            super().handleContentChunk(data)

    def handle_reply(self, message: dict[str, Any]) -> None:
        """Numbers the answers that come from before any page: to a request that is none, or from us when time is up."""
        if message.get("type") == "http.response.start" and not self.finished:
            headers = list(message.get("headers", []))
            if not any(name.lower() == HEADER.lower().encode() for name, _ in headers):
                number = log_alone(self.method, self.path, message["status"])
                message = {**message, "headers": [*headers, (HEADER.encode(), number.encode())]}
        super().handle_reply(message)


class Channel(HTTPChannel):
    """One connection, which has to make progress and may not send more than it may."""

    transport: Any
    deadline: Any = None
    refused = False

    def connectionMade(self) -> None:
        self.timeOut = SILENCE_SECONDS
        super().connectionMade()

    def dataReceived(self, data: bytes) -> None:
        if self.refused:
            return
        if not self._handlingRequest:
            self.setTimeout(SILENCE_SECONDS)
            if not self.deadline:
                self.set_deadline(HEADER_SECONDS)
        super().dataReceived(data)

    def allHeadersReceived(self) -> None:
        request = self.requests[-1]
        # Daphne lets any client choose the path the application believes to be mounted at.
        request.requestHeaders.removeHeader(b"Daphne-Root-Path")
        for name in FORWARDED:
            self.trust_the_last(request, name)
        if self.length and self.length > self.factory.server.max_body_bytes:
            # Before the inherited method, which would tell the client to go on ("100 Continue").
            self.refuse_body()
            return
        self.set_deadline(BODY_SECONDS)
        super().allHeadersReceived()

    def trust_the_last(self, request: Request, name: bytes) -> None:
        """Keep only what our own proxy appended; what stands before it came from the client."""
        values = b",".join(request.requestHeaders.getRawHeaders(name, [])).split(b",")
        request.requestHeaders.removeHeader(name)
        if self.factory.server.trusted_proxy and values[-1].strip():
            request.requestHeaders.setRawHeaders(name, [values[-1].strip()])

    def rawDataReceived(self, data: bytes) -> None:
        if not self.refused:
            super().rawDataReceived(data)

    def allContentReceived(self) -> None:
        if self.refused:
            return
        self.set_deadline(None)
        self.setTimeout(KEEP_ALIVE_SECONDS)  # saved by the inherited method, in force once we have answered
        super().allContentReceived()

    def refuse_body(self) -> None:
        """Answer 413, read and drop what still comes for a moment, then close."""
        if self.refused:
            return
        self.refused = True
        path = cast(bytes, self._path)
        number = log_alone(self._command, path, 413)
        self.transport.write(too_large(path, self.factory.server.max_body_bytes, number))
        self.transport.loseWriteConnection()
        self.setTimeout(None)
        self.set_deadline(LINGER_SECONDS)

    def _respondToBadRequestAndDisconnect(self) -> None:
        """What cannot even be read as a request is numbered, too."""
        number = log_alone(b"-", b"-", 400)
        self.transport.write(f"HTTP/1.1 400 Bad Request\r\n{HEADER}: {number}\r\n\r\n".encode())
        self.loseConnection()

    def set_deadline(self, seconds: float | None) -> None:
        if self.deadline and self.deadline.active():
            self.deadline.cancel()
        self.deadline = seconds and self.callLater(seconds, self.timeoutConnection)

    def timeoutConnection(self) -> None:
        if self.refused:
            self.transport.abortConnection()
        else:
            super().timeoutConnection()

    def connectionLost(self, reason: Any = connectionDone) -> None:
        self.set_deadline(None)
        super().connectionLost(reason)


class Factory(HTTPFactory):
    def protocol(self) -> Channel:
        return Channel()

    def buildProtocol(self, addr: Any) -> Channel:
        channel = super().buildProtocol(addr)
        channel.requestFactory = Request
        channel.timeOut = SILENCE_SECONDS
        return channel


# Daphne's `run` makes its factory by this name and leaves no other way in.
daphne.server.HTTPFactory = Factory


def log_alone(method: bytes, path: bytes, status: int) -> str:
    """Of what no page logs, since none was reached. Returns the number it was given."""
    number, verb, place = (
        new_number(),
        method.decode(errors="replace"),
        path.partition(b"?")[0].decode(errors="replace")[:PATH_SIGNS],
    )
    facts = {"request_id": number, "method": verb, "path": place, "status": status}
    logger.warning("%s %s %s, before any page was reached", verb, place, status, extra=facts)
    return number


def too_large(path: bytes, limit: int, number: str) -> bytes:
    sentence = f"The request is larger than the {limit:,} bytes allowed."
    if path.startswith(b"/api/"):
        kind = "application/json"
        body = json.dumps({"error": {"code": "BODY_TOO_LARGE", "message": sentence, "details": {}}})
    else:
        kind = "text/plain; charset=utf-8"
        body = sentence + "\n"
    head = ("HTTP/1.1 413 Content Too Large", f"Content-Type: {kind}", f"Content-Length: {len(body)}")
    return "\r\n".join((*head, f"{HEADER}: {number}", "Connection: close", "", body)).encode()


def log(protocol: str, action: str, details: dict[str, Any]) -> None:
    """One line a socket, without its query string; requests are logged where their number is known."""
    if protocol != "http" and action in ("connected", "rejected"):
        logger.info("socket %s %s", details["path"].partition("?")[0], action)
