"""The house stands as drawn: imports point down only, none hides in a function, and no module has an empty name."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ["wires", "accounts", "people", "campaigns", "simulator", "dispatcher"]
MODULES = sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py") if "migrations" not in path.parts)
# Within the dispatcher: what a floor may not look up to.
ABOVE_THE_ENGINE = {"operations", "views", "api", "consumers", "hub", "drawings", "clock", "admin", "urls"}
ENGINE = {
    "engine",
    "lease",
    "intent",
    "settle",
    "giveback",
    "handover",
    "verdicts",
    "pace",
    "tally",
    "watch",
    "finish",
}
EMPTY_NAMES = {"utils", "helpers", "services", "common", "core", "signals", "managers", "misc"}


def imports_of(path: Path) -> set[str]:
    """The dotted names a module imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_down_only(path):
    floor = FLOORS.index(path.relative_to(ROOT).parts[0])
    above = [name for name in imports_of(path) if name.split(".")[0] in FLOORS[floor + 1 :]]
    assert above == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_import_hides_in_a_function(path):
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    hidden = [
        f"line {inner.lineno}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, functions)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_is_named_after_what_it_does(path):
    assert not EMPTY_NAMES & set(path.relative_to(ROOT).with_suffix("").parts)


@pytest.mark.parametrize("module", sorted(ENGINE))
def test_the_engine_does_not_look_up_to_people_and_pages(module):
    names = imports_of(ROOT / "dispatcher" / f"{module}.py")
    above = {name for name in names if name.startswith("dispatcher.") and name.split(".")[1] in ABOVE_THE_ENGINE}
    assert above == set()


@pytest.mark.parametrize("path", sorted((ROOT / "dispatcher" / "senders").glob("*.py")), ids=name_of)
def test_a_sender_knows_no_model_of_the_ledger(path):
    forbidden = {"dispatcher.models", "people.models", "django.db"}
    assert not {name for name in imports_of(path) if name in forbidden}


def test_only_settings_reads_the_environment():
    readers = [
        name_of(path)
        for path in MODULES
        if path.name != "settings.py" and ("os.environ[" in path.read_text() or "os.getenv" in path.read_text())
    ]
    assert readers == []
