"""A house with a PostgreSQL and a Valkey of its own, and wires that can break between them and everybody else."""

import http.client
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import services
from processes import Program, Trouble, children, end, last_words, run, spawn
from tests.house import ROOT, House, kill
from tests.wire import PostgresReader, Wire, wire_to


@dataclass
class Server:
    """PostgreSQL or Valkey, which can be stopped in any way and started again."""

    service: services.Postgres | services.Valkey
    log: Path
    process: subprocess.Popen | None = None

    @property
    def program(self) -> Program:
        return self.service.program()

    def start(self) -> None:
        program = self.program
        program.before()
        with self.log.open("ab") as output:
            self.process = spawn(
                program.argv,
                on_parent_death=program.stop_with,
                account=program.account,
                cwd=program.cwd,
                env=program.env,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + 60
        while not program.is_ready(self.process.pid):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Trouble(f"{program.name} did not start: {last_words(self.log.read_text(errors='replace'))}")
            time.sleep(0.02)

    def stop(self, signum: signal.Signals | None = None) -> None:
        if self.process:
            end(self.process, signum or self.program.stop_with, grace=30)


@dataclass
class ChaosHouse(House):
    """Its processes reach both servers over wires; whoever judges them reaches the servers directly."""

    postgres: Server = field(kw_only=True)
    valkey: Server = field(kw_only=True)
    to_postgres: Wire = field(kw_only=True)
    to_redis: Wire = field(kw_only=True)
    horses_killed: int = 0
    others_killed: int = 0
    faketime: str = ""

    def kill(self, name: str) -> bool:
        killed = super().kill(name)
        self.others_killed += killed
        return killed

    def renew(self, name: str) -> None:
        """kill -9, and another one at once, which has the environment of now."""
        with self.moving:
            self.kill(name)
            self.processes[name].wait()
            self.start(name)

    def kill_horse(self, seconds: float = 5) -> bool:
        """kill -9 of a work-horse; False if none works now."""
        try:
            _, pid = self.horse(seconds)
        except TimeoutError:
            return False
        kill(pid)
        self.horses_killed += 1
        return True

    @property
    def horses_lost(self) -> int:
        """Work-horses that died by a signal, as their parents told."""
        assert self.logs
        told = (log.read_text(errors="replace") for log in self.logs.glob("worker-*.log"))
        return sum(text.count("Work-horse terminated unexpectedly") for text in told)

    @property
    def kills(self) -> int:
        return self.horses_killed + self.others_killed

    def ask(
        self, path: str, *, body: str | None = None, headers: dict[str, str] | None = None, seconds: float = 60
    ) -> tuple[int, str, float]:
        """Status, text and seconds of a request: POST with a body, else GET. Raises OSError or HTTPException."""
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            connection.request("GET" if body is None else "POST", path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace"), time.monotonic() - began
        finally:
            connection.close()

    def heal(self) -> None:
        """Everything runs and every wire carries."""
        self.to_postgres.mend()
        self.to_redis.mend()
        for server in (self.postgres, self.valkey):
            if not server.process or server.process.poll() is not None:
                server.start()
        self.valkey.service.ask("CONFIG SET maxmemory 0")
        for name in list(self.own):
            del self.own[name]
            self.renew(name)
        for name in list(self.resting):
            self.start(name)

    @contextmanager
    def more(self, name: str, how_many: int) -> Iterator[None]:
        """So many more of one kind, for the time of the block."""
        argv = [sys.executable, "manage.py", *self.commands()[name]]
        with (self.logs / f"{name}.log").open("ab") as output:
            said = {"stdout": output, "stderr": subprocess.STDOUT}
            extra = [spawn(argv, cwd=ROOT, env=self.environment, **said) for _ in range(how_many)]
        try:
            yield
        finally:
            for process in extra:
                end(process)

    def find_faketime(self) -> None:
        """Raises Trouble where there is no libfaketime, and none can be installed."""
        self.faketime = faketime() or faketime(install=True)
        if not self.faketime:
            raise Trouble(
                "F32 needs libfaketime (Debian, Ubuntu: apt install faketime), which is not here; "
                "leave it out with --only."
            )

    def bury_orphans(self) -> None:
        """Horses whose parent was killed are ours, and nobody else asks how they ended."""
        known = {process.pid for process in self.processes.values()}
        known |= {server.process.pid for server in (self.postgres, self.valkey) if server.process}
        for pid in set(children()) - known:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                continue


def open_house(stack: ExitStack, home: Path, port: int, settings: dict[str, str]) -> ChaosHouse:
    """The house in this directory, its servers running and its tables made, but its processes not yet started."""
    python = Path(sys.executable)
    logs, wires = home / "logs", home / "wires"
    logs.mkdir()
    wires.mkdir()
    postgres = Server(services.postgres(python, [home]), logs / "postgres.log")
    valkey = Server(services.valkey(python, home, durable=False), logs / "valkey.log")
    for server in (postgres, valkey):
        stack.callback(server.service.clean)
        stack.callback(server.stop)
        server.start()
    to_postgres = stack.enter_context(
        wire_to(
            postgres.service.sockets / services.POSTGRES_SOCKET, PostgresReader, at=wires / services.POSTGRES_SOCKET
        )
    )
    to_redis = stack.enter_context(wire_to(valkey.service.socket, at=wires / "valkey.sock"))
    environment = {
        **services.inherited(),
        **settings,
        "DATABASE_URL": f"postgresql://campaign@/campaign?host={wires}",
        "REDIS_URL": f"unix://{wires}/valkey.sock?db=0",
    }
    house = ChaosHouse(
        port,
        environment,
        logs=logs,
        postgres=postgres,
        valkey=valkey,
        to_postgres=to_postgres,
        to_redis=to_redis,
    )
    made = run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment)
    if made.returncode:
        raise Trouble(f"The tables could not be made: {last_words(made.stdout)}")
    return house


def faketime(*, install: bool = False) -> str:
    """The path of the library, "" where it is not."""
    if install and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "install", "-y", "--no-install-recommends", "faketime"], env=quiet)
    found = [path for place in ("/usr/lib", "/usr/local/lib") for path in Path(place).glob("**/libfaketime.so.1")]
    return str(found[0]) if found else ""
