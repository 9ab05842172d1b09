"""Browsers that only watch, all in one process: `python -m tests.bench.viewers PORT PATH COOKIE HOW_MANY`.

A hand-made client, since what it costs is taken from the two cores that are measured. Says `ready` once every browser
has its first frame; then takes a line of commits, [number, time] each, and tells how long after each every browser saw
that number or a later one.
"""

import asyncio
import bisect
import json
import re
import struct
import sys
import time

NUMBER = re.compile(rb'aria-valuenow="(\d+)"')
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
AT_ONCE = 25  # connections opened together
PATIENCE = 30  # seconds; a page draws itself again after two, unasked


class Browser(asyncio.Protocol):
    """One WebSocket: notes when it saw which number first."""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.buffer = b""
        self.is_open = False
        self.seen: list[tuple[int, float]] = []
        self.frames = 0
        self.first = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.is_open:
            head, end, rest = self.buffer.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self.first.set_exception(ConnectionError(head.decode(errors="replace")))
                return
            self.is_open, self.buffer = True, rest
        while frame := self.next_frame():
            self.take(*frame)

    def next_frame(self) -> tuple[int, bytes] | None:
        """Opcode and content of the next whole frame; those of a server are never masked, ours never in pieces."""
        if len(self.buffer) < 2:
            return None
        length, start = self.buffer[1] & 127, 2
        if length > 125:
            start = 4 if length == 126 else 10
            if len(self.buffer) < start:
                return None
            (length,) = struct.unpack(">H" if start == 4 else ">Q", self.buffer[2:start])
        if len(self.buffer) < start + length:
            return None
        opcode, content = self.buffer[0] & 15, self.buffer[start : start + length]
        self.buffer = self.buffer[start + length :]
        return opcode, content

    def take(self, opcode: int, content: bytes) -> None:
        if opcode == PING:
            self.transport.write(bytes([0x80 | PONG, 0x80 | len(content)]) + bytes(4) + content)
        elif opcode == TEXT:
            self.frames += 1
            found = NUMBER.search(content)
            if found and (not self.seen or int(found[1]) > self.seen[-1][0]):
                self.seen.append((int(found[1]), time.monotonic()))
            if not self.first.done():
                self.first.set_result(None)
        elif opcode == CLOSE and not self.first.done():
            self.first.set_exception(ConnectionError("closed at once"))

    def delay(self, number: int, committed: float) -> float | None:
        at = bisect.bisect_left(self.seen, (number, 0.0))
        return self.seen[at][1] - committed if at < len(self.seen) else None


async def until_seen(browsers: list[Browser], number: int) -> None:
    """Or until it is clear that some will never see it."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends and any(browser.delay(number, 0) is None for browser in browsers):
        await asyncio.sleep(0.05)


async def main(port: str, path: str, cookie: str, how_many: str) -> None:
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Origin: http://127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        f"Cookie: {cookie}",
    ]
    request = "\r\n".join([*lines, "", ""]).encode()
    browsers: list[Browser] = []
    loop = asyncio.get_running_loop()
    while len(browsers) < int(how_many):
        some = [Browser(request) for _ in range(min(AT_ONCE, int(how_many) - len(browsers)))]
        for browser in some:
            await loop.create_connection(lambda browser=browser: browser, "127.0.0.1", int(port))
        await asyncio.gather(*(browser.first for browser in some))
        browsers += some
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        commits = json.loads(line)
        await until_seen(browsers, commits[-1][0])
        delays = [browser.delay(*commit) for commit in commits for browser in browsers]
        heard = sorted(delay for delay in delays if delay is not None)
        told = {"missing": len(delays) - len(heard), "frames": sum(browser.frames for browser in browsers)}
        if heard:
            told |= {"p50": heard[len(heard) // 2], "p99": heard[int(0.99 * (len(heard) - 1))]}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
