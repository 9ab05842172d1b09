"""A wire to a real server that can break: it carries every byte there and back until a fault befalls it."""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

HERE = "127.0.0.1"
Server = int | Path  # a port of this machine, or a Unix socket
DEEDS = ("hang up", "reset", "half-close", "hang", "delay", "hang up after")


@dataclass(frozen=True)
class Fault:
    """What befalls a connection, and at which moment.

    Moments are "open", "there" and "back" (something is carried to or from the server), and those that the reader of
    the protocol knows. What was about to be carried is lost, but for "delay", "hang" once the wire is mended, and
    "hang up after", which carries it first. With `after`, the first so many bytes on their way are still carried.
    """

    at: str
    does: str
    seconds: float = 60
    after: int = 0

    def __post_init__(self) -> None:
        assert self.does in DEEDS


class Plain:
    """Reads one connection and knows of no moments."""

    def there(self, data: bytes) -> set[str]:
        return set()

    def back(self, data: bytes) -> set[str]:
        return set()


class PostgresReader(Plain):
    """Knows when a COMMIT goes there, and when its answer comes back."""

    def __init__(self) -> None:
        self.committing = False

    def there(self, data: bytes) -> set[str]:
        self.committing = b"COMMIT" in data
        return {"commit"} if self.committing else set()

    def back(self, data: bytes) -> set[str]:
        answered, self.committing = self.committing, False
        return {"answer to commit"} if answered else set()


class Wire:
    """Carries connections to one server; `fault` befalls them as often as `times` says."""

    def __init__(self, server: Server, reader: Callable[[], Plain] = Plain) -> None:
        self.server = server
        self.reader = reader
        self.port = 0
        self.fault: Fault | None = None
        self.times = 10**9
        self.struck = 0
        self.connections = 0
        self.open: set[asyncio.StreamWriter] = set()

    def break_by(self, fault: Fault, times: int = 10**9) -> None:
        self.times, self.struck, self.fault = times, 0, fault

    def mend(self) -> None:
        """What hangs goes on."""
        self.fault = None

    def cut(self) -> None:
        """End all connections at once, with a reset."""
        for out in list(self.open):
            self.loop.call_soon_threadsafe(out.transport.abort)

    # --- below runs on the loop of the wire ---

    async def carry(self, near: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open.add(near_out)
        far_out = None
        try:
            fault = self._strikes({"open"})
            if not fault or await self._befall(fault, near_out, near_out, b""):
                far, far_out = await self._connect()
                await self._both_ways(near, near_out, far, far_out)
        except OSError:
            pass  # the server is not there, or either end has gone: so has the connection
        finally:
            self.open.discard(near_out)
            for out in filter(None, (near_out, far_out)):
                out.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.server, Path):
            return await asyncio.open_unix_connection(str(self.server))
        return await asyncio.open_connection(HERE, self.server)

    async def _both_ways(self, near, near_out, far, far_out) -> None:
        reader = self.reader()
        ways = [
            asyncio.ensure_future(self._one_way("there", reader.there, near, far_out, near_out)),
            asyncio.ensure_future(self._one_way("back", reader.back, far, near_out, near_out)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _one_way(self, name, hear, source, out, near_out) -> None:
        carried = 0
        while data := await source.read(65_536):
            moments = {name, *hear(data)}
            fault = self._strikes(moments, carried + len(data))
            if fault and fault.after > carried:
                out.write(data[: fault.after - carried])
                data = data[fault.after - carried :]
                await out.drain()
            if fault and not await self._befall(fault, near_out, out, data):
                return
            carried += len(data)
            out.write(data)
            await out.drain()

    def _strikes(self, moments: set[str], carried: int = 0) -> Fault | None:
        fault = self.fault
        if not fault or fault.at not in moments or carried < fault.after:
            return None
        self.times -= 1
        if self.times < 0:
            return None
        self.struck += 1
        return fault

    async def _befall(self, fault: Fault, near_out, out, data: bytes) -> bool:
        """True when the connection goes on."""
        if fault.does == "delay":
            await asyncio.sleep(fault.seconds)
            return True
        if fault.does == "hang":
            ends = time.monotonic() + fault.seconds
            while self.fault is fault and time.monotonic() < ends:
                await asyncio.sleep(0.02)
            return self.fault is not fault
        if fault.does == "half-close":
            near_out.write_eof()  # nothing comes back any more; what goes there is not looked at
            await asyncio.sleep(fault.seconds)
        if fault.does == "hang up after":
            out.write(data)
            await out.drain()
        if fault.does == "reset" and near_out.get_extra_info("socket").family != socket.AF_UNIX:
            linger = struct.pack("ii", 1, 0)
            near_out.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        return False


@contextmanager
def wire_to(server: Server, reader: Callable[[], Plain] = Plain, *, at: Path | None = None) -> Iterator[Wire]:
    """A wire to this server for the time of the block: on a port, or on the Unix socket `at`."""
    wire = Wire(server, reader)

    async def listen() -> asyncio.Server:
        wire.loop = asyncio.get_running_loop()
        if at:
            return await asyncio.start_unix_server(wire.carry, str(at), backlog=1000)
        return await asyncio.start_server(wire.carry, HERE, 0)

    with in_a_thread(listen) as listening:
        wire.port = 0 if at else listening.sockets[0].getsockname()[1]
        yield wire


@contextmanager
def in_a_thread(start) -> Iterator[asyncio.Server]:
    """Run a server on an event loop in a thread of its own, for the time of the block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(start(), loop).result(5)
    try:
        yield server
    finally:

        async def stop() -> None:
            server.close()
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(stop(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        if not thread.is_alive():
            loop.close()
