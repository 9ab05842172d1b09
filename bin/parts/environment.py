"""The virtual environment of this clone, always with what the requirement files ask for."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from processes import Trouble, last_words, run

RUNTIME = ("requirements.txt", "requirements-embedded.txt")
TESTING = (*RUNTIME, "requirements-dev.txt")


def ready(root: Path, requirements: tuple[str, ...] = RUNTIME) -> Path:
    """The Python of `root`/.venv, made, mended or brought up to date first if need be."""
    venv = root / ".venv"
    python = venv / "bin" / "python"
    with locked(root):
        if not _works(python):
            _make(venv)
        stale = [name for name in requirements if _installed(venv, name) != (root / name).read_text()]
        if stale:
            _install(python, root, requirements)
            for name in requirements:
                stamp = venv / "installed" / name
                stamp.parent.mkdir(exist_ok=True)
                stamp.write_text((root / name).read_text())
    return python


@contextmanager
def locked(directory: Path, or_say: str = "") -> Iterator[None]:
    """Hold the directory itself as a lock: nothing to clean up, and a killed process lets go.

    Waits for another holder, or raises Trouble with the sentence given.
    """
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (fcntl.LOCK_NB if or_say else 0))
    except BlockingIOError:
        os.close(handle)
        raise Trouble(or_say) from None
    try:
        yield
    finally:
        os.close(handle)


def _works(python: Path) -> bool:
    if not python.exists():
        return False
    return (
        run(
            [str(python), "-c", f"import pip, sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"]
        ).returncode
        == 0
    )


def _make(venv: Path) -> None:
    if run([sys.executable, "-c", "import ensurepip, venv"]).returncode:
        version = "{}.{}".format(*sys.version_info)
        raise Trouble(
            f"Python {version} here lacks its venv module; install it "
            f"(Debian, Ubuntu: apt install python{version}-venv)."
        )
    say(f"Making a virtual environment in {venv.name} ...")
    made = run([sys.executable, "-m", "venv", "--clear", str(venv)])
    if made.returncode:
        raise Trouble(f"The virtual environment {venv} could not be made: {last_words(made.stdout)}")


def _installed(venv: Path, name: str) -> str | None:
    stamp = venv / "installed" / name
    return stamp.read_text() if stamp.exists() else None


def _install(python: Path, root: Path, requirements: tuple[str, ...]) -> None:
    say("Installing what the requirement files name (a minute or so the first time) ...")
    argv = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for name in requirements:
        argv += ["-r", str(root / name)]
    done = run(argv)
    if done.returncode:
        raise Trouble(
            f"The dependencies could not be installed; is this machine offline? pip says: {last_words(done.stdout)}"
        )


def say(sentence: str) -> None:
    print(sentence, flush=True)
