"""Machines of our own: network namespaces on two switches, which nothing outside them can reach.

The switches stand in the namespace of the data host. `inside` carries what the house says to itself, `outside` what
its workers say to the provider.
"""

import ctypes
import fcntl
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from processes import Trouble, last_words, run

CLONE_NEWUTS = 0x0400_0000
NAMES = "campaign-hosts-"
NAMESPACES = Path("/run/netns")
NETWORKS = {"inside": "10.77.0", "outside": "10.78.0"}
DATA = "data"
libc = ctypes.CDLL(None, use_errno=True)


def refuse_unless_possible() -> None:
    """Raises Trouble."""
    if sys.platform != "linux" or os.geteuid() or not shutil.which("ip"):
        raise Trouble("bin/hosts makes network namespaces: it needs Linux, root and the command ip (iproute2).")


class Network:
    """The data host and some workers' hosts, with a directory of their own; use as a context manager.

    Nothing of it is left when the block ends, and what a killed run left is taken away by the next one.
    """

    def __init__(self, *hosts: str) -> None:
        self.hosts = hosts

    def __enter__(self) -> "Network":
        sweep()
        self.home = Path(tempfile.mkdtemp(prefix=NAMES, dir="/tmp"))
        self.home.chmod(0o711)  # PostgreSQL runs under another account
        self._lock = os.open(self.home, os.O_RDONLY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)  # we live: no other run sweeps this away
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        remove(self.home)
        os.close(self._lock)

    def _build(self) -> None:
        for name in (DATA, *self.hosts):
            ip("netns", "add", self.namespace(name))
            ip("-n", self.namespace(name), "link", "set", "lo", "up")
        for network in NETWORKS:
            self._in(DATA, "link", "add", network, "type", "bridge")
            self._in(DATA, "addr", "add", f"{address(network)}/24", "dev", network)
            self._in(DATA, "link", "set", network, "up")
            for number, host in enumerate(self.hosts, start=1):
                port = self._port(host, network)
                there = ("peer", "name", network, "netns", self.namespace(host))
                self._in(DATA, "link", "add", port, "type", "veth", *there)
                self._in(DATA, "link", "set", port, "master", network, "up")
                self._in(host, "addr", "add", f"{address(network, number)}/24", "dev", network)
                self._in(host, "link", "set", network, "up")

    def cut(self, host: str) -> None:
        """Pull the plug of its inside network; the outside one stays."""
        self._in(DATA, "link", "set", self._port(host, "inside"), "down")

    def heal(self, host: str) -> None:
        self._in(DATA, "link", "set", self._port(host, "inside"), "up")

    def address_of(self, host: str, network: str) -> str:
        return address(network, self.hosts.index(host) + 1)

    def namespace(self, name: str) -> str:
        return f"{self.home.name}-{name}"

    def _port(self, host: str, network: str) -> str:
        return f"{host}-{network}"[:15]

    def _in(self, name: str, *words: str) -> None:
        ip("-n", self.namespace(name), *words)

    @contextmanager
    def on(self, name: str) -> Iterator[None]:
        """What is started and connected in this block is so on that host, which has a host name of its own."""
        with open("/proc/thread-self/ns/net") as our_net, open("/proc/thread-self/ns/uts") as our_uts:
            with open(NAMESPACES / self.namespace(name)) as theirs:
                _call("setns", theirs.fileno(), 0)
            try:
                _call("unshare", CLONE_NEWUTS)
                socket.sethostname(name)
                yield
            finally:
                _call("setns", our_net.fileno(), 0)
                _call("setns", our_uts.fileno(), 0)


def address(network: str, number: int = 0) -> str:
    """Of a host by its number; that of the data host when none is given."""
    return f"{NETWORKS[network]}.{number + 1}"


def sweep() -> None:
    """Remove what runs left that were killed: whoever lives holds a lock on its directory."""
    for home in Path("/tmp").glob(f"{NAMES}*"):
        lock = os.open(home, os.O_RDONLY)
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove(home)
        os.close(lock)


def remove(home: Path) -> None:
    """End whoever is left on these hosts, then take away the hosts and the directory."""
    for path in NAMESPACES.glob(f"{home.name}-*"):
        deadline = time.monotonic() + 10
        while (left := _inhabitants(path.name)) and time.monotonic() < deadline:
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        ip("netns", "delete", path.name)
    shutil.rmtree(home, ignore_errors=True)


def _inhabitants(namespace: str) -> list[int]:
    """But for the dead whose parent has not looked after them yet."""
    pids = [int(pid) for pid in ip("netns", "pids", namespace).split()]
    return [pid for pid in pids if _state(pid) not in ("Z", "")]


def _state(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1]
    return ""


def ip(*words: str) -> str:
    done = run(["ip", *words], within=20)
    if done.returncode:
        raise Trouble(f"ip {' '.join(words)}: {last_words(done.stdout)}")
    return done.stdout


def _call(name: str, *arguments: int) -> None:
    if getattr(libc, name)(*arguments):
        raise Trouble(f"{name}: {os.strerror(ctypes.get_errno())}")
