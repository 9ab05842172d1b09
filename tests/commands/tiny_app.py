"""The web server around an application of ten lines, with limits short enough to wait for."""

import json
import sys
from contextvars import ContextVar

from dispatcher import server

server.SILENCE_SECONDS = 0.6
server.HEADER_SECONDS = 2
server.BODY_SECONDS = 3
server.LINGER_SECONDS = 0.5


asked = ContextVar("asked", default="nothing")


async def application(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] != "websocket.disconnect":
            text = asked.get() if message["text"] == "what was asked before?" else message["text"]
            await send({"type": "websocket.send", "text": text})
        return
    asked.set(scope["path"])
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    forwarded = [value.decode() for name, value in scope["headers"] if name.startswith(b"x-forwarded")]
    seen = {
        "size": size,
        "client": scope["client"][0],
        "scheme": scope["scheme"],
        "root": scope["root_path"],
        "forwarded": forwarded,
    }
    status = 429 if scope["path"] == "/too-often" else 200
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(seen).encode()})


if __name__ == "__main__":
    web = server.Server(
        application,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        max_body_bytes=12 * 1024 * 1024,
        trusted_proxy="trusting" in sys.argv,
    )
    web.run()
    sys.exit(web.failed)
