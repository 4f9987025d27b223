"""Every call of a logger in our packages is readable here: a written event, declared fields."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.logs.fields import FIELDS, OURS, event

ROOT = Path(__file__).resolve().parents[3]
LOGS = ROOT / "config" / "logs"
METHODS = {"debug", "info", "warning", "error", "critical", "exception", "log"}
BINDERS = {"bound", "bind", "new", "bind_contextvars", "bound_contextvars"}


def modules() -> list[Path]:
    """Every module of our packages."""
    return [path for package in OURS for path in sorted((ROOT / package).rglob("*.py"))]


def _made_by(tree: ast.Module, function: str) -> set[str]:
    """Names to which a call of `function` is given."""
    return {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        for target in node.targets
        if isinstance(target, ast.Name) and ast.unparse(node.value.func).endswith(function)
    }


def _calls(tree: ast.Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def mistakes(source: str) -> list[str]:
    """Log calls of a module whose event is not written out or whose fields are not declared."""
    tree = ast.parse(source)
    loggers = _made_by(tree, "get_logger")
    others = _made_by(tree, "getLogger") | _made_by(tree, "get_task_logger")
    found = []
    for call in _calls(tree):
        function = call.func
        name = function.attr if isinstance(function, ast.Attribute) else ast.unparse(function)
        owner = ast.unparse(function.value) if isinstance(function, ast.Attribute) else ""
        logs = owner in loggers and name in METHODS
        if logs and not _is_written(call.args[1:] if name == "log" else call.args):
            found.append(f"{call.lineno}: the event is not one written code")
        if name in METHODS and (owner in others or owner.startswith("logging")):
            found.append(f"{call.lineno}: a logger that was not got from config.logs")
        if logs or name in BINDERS:
            found += [
                f"{call.lineno}: `{keyword.arg}` is not declared"
                for keyword in call.keywords
                if keyword.arg not in {*FIELDS, "exc_info"}
            ]
    return found


def _is_written(arguments: list[ast.expr]) -> bool:
    written = [one.value for one in arguments if isinstance(one, ast.Constant)]
    return len(arguments) == 1 and len(written) == 1 and event(written[0]) is not None


def test_events_are_written_and_fields_are_declared() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{mistake}"
        for path in modules()
        if not path.is_relative_to(LOGS)
        for mistake in mistakes(path.read_text(encoding="utf-8"))
    ]
    assert found == []


LOGGERS = "log = get_logger(__name__)\nother = logging.getLogger(__name__)\n"


@pytest.mark.parametrize(
    "call",
    [
        'log.info(f"dossier {number}")',
        "log.info(name)",
        'log.info("Dossier routed")',
        'log.info("dossier-routed", who)',
        'log.info("dossier-routed", name=who)',
        'log.info("dossier-routed", **facts)',
        "log.log(10, name)",
        "bound(name=who)",
        'logging.info("dossier-routed")',
        'logging.getLogger("x").info("dossier-routed")',
        'other.warning("dossier-routed")',
    ],
)
def test_control_wrong_calls_are_found(call: str) -> None:
    assert len(mistakes(f"{LOGGERS}{call}\n")) == 1
