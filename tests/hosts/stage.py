"""What runs on the hosts: the services on the data host, and the product's processes wherever a test wants them."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

import psycopg

import services
from places import private_directory, unprivileged_account
from processes import Program, Trouble, end, kill_group, last_words, run, spawn
from tests.hosts.namespaces import DATA, NETWORKS, Network, address

ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(sys.executable)
POOL = 12  # sessions PgBouncer opens at most: fewer than the processes that want one


class OnTheNetwork(services.Postgres):
    """Also listens on both networks of the data host; there it asks for a password."""

    def program(self) -> Program:
        program = super().program()
        rules = self.place / "pg_hba.conf"
        there = {
            "listen_addresses": ",".join(address(network) for network in NETWORKS),
            "hba_file": str(rules),
            "max_connections": "100",
        }

        def prepare() -> None:
            self.prepare()
            rules.write_text("local all all trust\n" + "".join(_rule(prefix) for prefix in NETWORKS.values()))
            rules.chmod(0o644)

        words = [word for name, value in there.items() for word in ("-c", f"{name}={value}")]
        return replace(program, argv=[*program.argv, *words], before=prepare)


def _rule(prefix: str) -> str:
    return f"host all all {prefix}.0/24 scram-sha-256\n"


@dataclass
class Guarded(services.Valkey):
    """Also listens on the inside network, and asks for a password everywhere."""

    password: str = ""

    def program(self) -> Program:
        program = super().program()
        there = ("--port", "6379", "--bind", address("inside"), "--requirepass", self.password)
        return replace(
            program, argv=[*program.argv, *there], is_ready=lambda pid: self.ask("PING").startswith("-NOAUTH")
        )


@dataclass
class PgBouncer:
    """In transaction mode, in front of the PostgreSQL of the data host."""

    home: Path
    sockets: Path
    password: str

    def program(self) -> Program:
        place, account = self.home / "pgbouncer", unprivileged_account()

        def prepare() -> None:
            private_directory(place, account)
            (place / "users").write_text(f'"campaign" "{self.password}"\n')
            (place / "pgbouncer.ini").write_text(
                f"[databases]\ncampaign = host={self.sockets}\n[pgbouncer]\npool_mode = transaction\n"
                f"listen_addr = {address('inside')}\nlisten_port = 6432\nunix_socket_dir =\n"
                f"auth_type = scram-sha-256\nauth_file = {place}/users\n"
                f"max_client_conn = 200\ndefault_pool_size = {POOL}\nmax_db_connections = {POOL}\n"
            )

        argv = [str(find_pgbouncer()), str(place / "pgbouncer.ini")]
        return Program("pgbouncer", argv, cwd=place, account=account, stop_with=signal.SIGINT, before=prepare)

    def clean(self) -> None:
        """It has no socket in the file system."""


def find_pgbouncer() -> Path:
    """Installed first if need be. Raises Trouble."""
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if not found and shutil.which("apt-get"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}  # installed, not started
        run(["apt-get", "install", "-y", "--no-install-recommends", "pgbouncer"], env=quiet, within=300)
        found = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin")
    if not found:
        raise Trouble("No PgBouncer: install it (Debian, Ubuntu: apt install pgbouncer), or leave out the part pooler.")
    return Path(found)


@dataclass
class Running:
    """One of the product's processes on a host; started again when it ends by itself, as any supervisor would."""

    host: str
    start: Callable[[], subprocess.Popen[bytes]]
    log: Path
    child: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.child = self.start()

    def keep_up(self) -> None:
        if self.child.poll() is not None:
            self.child = self.start()


class Stage:
    """The services on the data host, and everything started on any host; ended with the block that made it."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.password = secrets.token_urlsafe(16)
        self.postgres = services.postgres(PYTHON, [network.home])
        self.postgres = OnTheNetwork(**vars(self.postgres))
        valkey = services.valkey(PYTHON, network.home)
        self.valkey = Guarded(**vars(valkey), password=self.password)
        self.pooler = PgBouncer(network.home, self.postgres.sockets, self.password)
        self.running: list[Running] = []
        self.started = 0

    @contextmanager
    def serving(self) -> Iterator[None]:
        """PostgreSQL and Valkey are up, and our role has its password."""
        with self._service(self.postgres), self._service(self.valkey):
            with psycopg.connect(self.postgres.url, autocommit=True) as admin:
                admin.execute(f"ALTER ROLE campaign PASSWORD '{self.password}'")
            try:
                yield
            finally:
                self.end_all()

    @contextmanager
    def _service(self, service) -> Iterator[int]:
        with self.network.on(DATA):
            running = services.running(service, self.network.home / f"{type(service).__name__}.log")
            pid = running.__enter__()
        try:
            yield pid
        finally:
            running.__exit__(None, None, None)

    @contextmanager
    def pooling(self) -> Iterator[Running]:
        """PgBouncer is up; killed, it comes back with `keep_up`."""
        program = self.pooler.program()
        program.before()
        log = self.network.home / "pgbouncer.log"

        def start() -> subprocess.Popen[bytes]:
            with self.network.on(DATA), log.open("ab") as output:
                return spawn(
                    program.argv,
                    account=program.account,
                    cwd=program.cwd,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )

        pooler = Running(DATA, start, log)
        try:
            wait_until(lambda: b"process up" in log.read_bytes() or pooler.child.poll() is not None, seconds=20)
            if pooler.child.poll() is not None:
                raise Trouble(f"PgBouncer did not start: {last_words(log.read_text(errors='replace'))}")
            yield pooler
        finally:
            end(pooler.child, program.stop_with)

    # The product's processes

    def start(self, host: str, *words: str, **environment: object) -> Running:
        """Run `python` with these words there, as if that host were a machine of its own."""
        self.started += 1
        log = self.network.home / f"{host}-{self.started}.log"
        env = self.environment(**environment)

        def begin() -> subprocess.Popen[bytes]:
            with self.network.on(host), log.open("ab") as output:
                argv = [str(PYTHON), *words]
                return spawn(argv, cwd=ROOT, env=env, stdout=output, stderr=subprocess.STDOUT)

        self.running.append(Running(host, begin, log))
        return self.running[-1]

    def run(self, host: str, *words: str, **environment: object) -> tuple[int, str]:
        """Run it to its end there; its code and all it said."""
        with self.network.on(host):
            done = run([str(PYTHON), *words], cwd=ROOT, env=self.environment(**environment), within=300)
        return done.returncode, done.stdout

    def environment(self, *, pooled: bool = False, **more: object) -> dict[str, str]:
        password, at = quote(self.password), address("inside")
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("PG")},
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "DATABASE_URL": f"postgresql://campaign:{password}@{at}:{6432 if pooled else 5432}/campaign",
            "DATABASE_POOLER": str(pooled),
            "REDIS_URL": f"redis://:{password}@{at}:6379/0",
            "PROVIDER_HOST": address("outside"),
            **{name: str(value) for name, value in more.items()},
        }

    def ours(self) -> dict[str, str]:
        """The URLs for this process, which stands on none of the hosts."""
        socket = quote(str(self.valkey.socket))
        return {"DATABASE_URL": self.postgres.url, "REDIS_URL": f"unix://:{quote(self.password)}@{socket}?db=0"}

    def end(self, *which: Running) -> None:
        """All are asked before any is waited for."""
        for each in which:
            if each.child.poll() is None:
                each.child.terminate()
        for each in which:
            end(each.child, grace=15)
            kill_group(each.child)
            self.running.remove(each)

    def end_all(self) -> None:
        self.end(*reversed(self.running))


def wait_until(condition: Callable[[], object], seconds: float, meanwhile: Callable[[], object] | None = None) -> None:
    """Raises Trouble when it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Trouble(f"It did not come to its end within {seconds:.0f} s.")
        if meanwhile:
            meanwhile()
        time.sleep(0.1)
