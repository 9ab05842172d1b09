"""Everything Campaign Dispatcher needs, on this machine, for as long as this command runs."""

import argparse
import http.client
import os
import secrets
import socket
import sys
from pathlib import Path

import services
from environment import locked, ready
from places import home_elsewhere
from processes import Program, Trouble
from supervisor import Stopped, Supervisor

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"
WRITTEN = LOCAL / "env"


def main() -> int:
    try:
        if not sys.stdout:
            raise Trouble("bin/dev has nowhere to write: its standard output is closed.")
        run(arguments())
    except (Stopped, KeyboardInterrupt):
        return 0
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"Cannot use {error.filename or ROOT}: {error.strerror}.", file=sys.stderr)
        return 1
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/dev", description=__doc__)
    parser.add_argument("--port", type=port_number, default=wished("PORT") or "8000", help="8000 when not given")
    return parser.parse_args()


def port_number(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port between 1 and 65535")
    return int(text)


def run(wanted: argparse.Namespace) -> None:
    LOCAL.mkdir(exist_ok=True)
    with locked(
        LOCAL,
        or_say=f"Campaign Dispatcher already runs from here, at {address(values(WRITTEN).get('PORT', '?'))}",
    ):
        refuse_used_port(wanted.port)
        python = ready(ROOT)
        embedded = embedded_services(python)
        environment = environment_for(wanted.port, embedded)
        write_privately(WRITTEN, "".join(f"{key}={value}\n" for key, value in environment.items()))
        try:
            supervise(python, {**services.inherited(), **environment}, wanted.port, list(embedded.values()))
        finally:
            for service in embedded.values():
                service.clean()


def supervise(python: Path, environment: dict[str, str], port: int, embedded: list) -> None:
    def manage(name: str, *words: str, **how) -> Program:
        argv = [str(python), str(ROOT / "manage.py"), *words]
        return Program(name, argv, env=environment, cwd=ROOT, **how)

    web = manage("web", "serve", "--port", str(port), is_ready=lambda pid: is_healthy(port))
    with Supervisor() as supervisor:
        for service in embedded:
            program = service.program()
            supervisor.start(program)
            supervisor.wait_until_ready(program, within=60)
        supervisor.run(manage("migrate", "migrate", "--noinput", quiet=True))
        login = demo_login(supervisor.run(manage("demo", "demo", quiet=True)))
        supervisor.start(web)
        supervisor.start(manage("clock", "clock"))
        supervisor.start(
            manage("dispatch-1", "worker", "dispatch", grace=20),
            manage("dispatch-2", "worker", "dispatch", grace=20),
            manage("chores", "worker", "chores", grace=20),
        )
        supervisor.wait_until_ready(web, within=60)
        supervisor.print(f"\nAddress   {address(port)}\n{login}")
        supervisor.watch()


# Before the start


def refuse_used_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise Trouble(f"Port {port} cannot be used ({error}); choose another: bin/dev --port {port + 1}") from None


def embedded_services(python: Path) -> dict[str, services.Postgres | services.Valkey]:
    """Our own server for each URL the environment does not name."""
    own: dict[str, services.Postgres | services.Valkey] = {}
    if not wished("DATABASE_URL"):
        own["DATABASE_URL"] = services.postgres(python, [LOCAL, home_elsewhere(LOCAL)])
    if not wished("REDIS_URL"):
        own["REDIS_URL"] = services.valkey(python, LOCAL)
    return own


def environment_for(port: int, embedded: dict) -> dict[str, str]:
    """What the processes are told, and what `manage.py` in a second terminal reads from .local/env."""
    return {
        "DATABASE_URL": wished("DATABASE_URL") or embedded["DATABASE_URL"].url,
        "REDIS_URL": wished("REDIS_URL") or embedded["REDIS_URL"].url,
        "SECRET_KEY": wished("SECRET_KEY") or values(WRITTEN).get("SECRET_KEY") or secrets.token_urlsafe(50),
        "ALLOWED_HOSTS": ",".join(filter(None, ["localhost,127.0.0.1,[::1]", wished("ALLOWED_HOSTS")])),
        "PUBLIC_URL": wished("PUBLIC_URL") or address(port),
        "DEV": wished("DEV") or "1",
        "PORT": str(port),
    }


def wished(name: str) -> str | None:
    """What the operator set: in the environment, else in the clone's own .env file."""
    return os.environ.get(name) or values(ROOT / ".env").get(name)


def values(file: Path) -> dict[str, str]:
    lines = file.read_text().splitlines() if file.exists() else []
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.lstrip().startswith("#"))
    return {key.strip(): value.strip().strip("\"'") for key, value in pairs}


def write_privately(path: Path, text: str) -> None:
    """Replace a file at once, readable by nobody else at any time."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)


# After it


def demo_login(said: list[str]) -> str:
    """The lines with the demo's secrets, which `manage.py demo` says only once: kept for later starts."""
    kept = LOCAL / "demo"
    lines = [line for line in said if line.startswith(("Login ", "API key "))]
    if lines:
        write_privately(kept, "\n".join(lines) + "\n")
    if kept.exists():
        return kept.read_text().strip()
    return "The demo's login was shown where its database was first used; it is not known here."


def is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def address(port: int | str) -> str:
    return f"http://127.0.0.1:{port}"


if __name__ == "__main__":
    sys.exit(main())
