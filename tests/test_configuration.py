"""Every variable that is read is documented with its default, and nothing is documented that is not read."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ast.parse((ROOT / "dispatcher" / "settings.py").read_text())
DOCUMENT = (ROOT / "docs" / "configuration.md").read_text()
ROW = re.compile(r"^\| `([A-Z_]+)` \| (?:`(.*?)`)? ?\| ", re.MULTILINE)
# Names that belong to the system or to the tools we start, not to this product.
FOREIGN = {"PATH", "HOME", "TMPDIR", "LC_ALL", "DEBIAN_FRONTEND", "SCREENSHOTS", "PYTHONUNBUFFERED"}


def read_by_settings() -> dict[str, ast.expr | None]:
    """The variables `env` is asked for, with the default each is given."""
    return {
        call.args[0].value: call.args[1] if len(call.args) > 1 else None
        for call in ast.walk(SETTINGS)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "env"
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }


def read_by_commands() -> set[str]:
    """What bin/, the Procfile and docker compose ask for."""
    found = set()
    for path in (ROOT / "bin" / "parts").glob("*.py"):
        found |= set(re.findall(r'(?:environ(?:\.get)?[\[(]|wished\()"([A-Z_]+)"', path.read_text()))
    for name in ("Procfile", "docker-compose.yml"):
        found |= set(re.findall(r"\$\{([A-Z_]+)", (ROOT / name).read_text()))
    return found - FOREIGN


def documented() -> dict[str, str]:
    return dict(ROW.findall(DOCUMENT))


def test_every_variable_that_is_read_is_documented_and_no_other():
    assert documented().keys() == read_by_settings().keys() | read_by_commands()


def test_each_is_documented_once():
    names = [name for name, _ in ROW.findall(DOCUMENT)]
    assert sorted(names) == sorted(set(names))


def test_the_defaults_are_those_of_the_settings():
    wrong = {
        name: (shown, written(default))
        for name, default in read_by_settings().items()
        if default is not None and (shown := documented()[name]) != written(default)
    }
    assert wrong == {}


def written(default: ast.expr) -> str:
    """The default as one would set it, outside development."""
    if isinstance(default, ast.IfExp) and ast.unparse(default.test) == "DEV":
        default = default.orelse
    try:
        value = ast.literal_eval(default)
    except ValueError:
        source = ast.unparse(default)
        return str(eval(source, {})) if re.fullmatch(r"[\d *]+", source) else source  # noqa: S307 - a product of numbers
    if isinstance(value, dict):
        return ",".join(f"{name}={each}" for name, each in value.items())
    if isinstance(value, list):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_the_template_of_the_file_has_every_variable_that_is_not_for_developers():
    ours, _, for_developers = DOCUMENT.partition("## For developers")
    template = set(re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert dict(ROW.findall(ours)).keys() <= template
    assert template <= documented().keys()
    assert "DEBUG" in dict(ROW.findall(for_developers))
