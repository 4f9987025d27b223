"""Where a module is tested: the tree of the tests is that of the code.

A module has a test of its name or of its package's, or a test in its folder imports it, or it is a
part of a module of which this holds and that imports it. The few that are left are named below
with the test that runs them.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp

TESTS = Path(__file__).resolve().parent
HOUSE = TESTS.parent
ROOMS = ("routing", "connectors", "store", "config", "service", "tasks", "web", "cli", "simulator")

RUN_BY = {
    # Of a command its words and its exit code matter: it is run whole.
    "cli.audit": "cli/audit",
    "cli.audit_verification": "cli/audit/test_verify.py",
    "cli.database": "cli/test_json_documents.py",
    "cli.ping": "deploy/test_compose_commands.py",
    "cli.purge": "cli/test_json_documents.py",
    "cli.seals": "cli/audit/test_seal.py",
    "cli.serve": "web/test_server.py",
    "cli.timestamps": "store/audit/test_timestamps.py",
    "tasks.pulse": "cli/test_up.py",
    # Every check has its wrong configurations, in `config/wrong/`.
    "config.checks": "config/test_diagnostics.py",
    "config.french_words": "config/test_yaml_slips.py",
    "config.secret_files": "service/test_secret_rotation.py",  # pragma: allowlist secret
    # The port is tested whole, over the simulated TPS: what a reader gets is what counts.
    "connectors.tps.v2": "connectors/tps/v2",
    "connectors.tps.writing": "service/test_tps_webhooks.py",
    "connectors.tps_group": "service/test_write_back.py",
    # The simulator is tested as those see it who ask it.
    "simulator": "simulator",
    "store.audit.seal_age": "web/metrics/test_page.py",
    "store.to_look_at": "cli/test_status.py",
    "web.stats": "web/stats",
}


@cache
def _modules() -> dict[str, Path]:
    """Modules with something to test, by name: their paths below the house."""
    found = (path for room in ROOMS for path in (HOUSE / room).rglob("*.py"))
    paths = (path.relative_to(HOUSE) for path in found if path.name != "__init__.py")
    return {
        ".".join(path.with_suffix("").parts): path
        for path in paths
        if "migrations" not in path.parts
    }


@cache
def _said_in(folder: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("test_*.py")))


def _is_mirrored(name: str) -> bool:
    path = _modules()[name]
    folder = TESTS / path.parent
    if (folder / f"test_{path.name}").exists():
        return True
    if len(path.parts) > 2 and (folder.parent / f"test_{path.parent.name}.py").exists():
        return True
    said = _said_in(folder)
    return (
        f"from {name} import" in said
        or f"from {name.rpartition('.')[0]} import {path.stem}\n" in said
    )


@cache
def _untested() -> frozenset[str]:
    """Modules that have no test where one looks for it, and are no part of one that has."""
    mirrored = {name for name in _modules() if _is_mirrored(name)}
    graph = grimp.build_graph(*ROOMS)
    return frozenset(
        name
        for name in _modules().keys() - mirrored
        if not graph.find_modules_that_directly_import(name) & mirrored
    )


def _entries(name: str) -> Iterator[str]:
    """The entries that name a module, or a package that it is in."""
    parts = name.split(".")
    joined = (".".join(parts[:end]) for end in range(1, len(parts) + 1))
    return (each for each in joined if each in RUN_BY)


def test_a_newcomer_finds_the_test_of_every_module() -> None:
    assert [name for name in sorted(_untested()) if not any(_entries(name))] == []


def test_what_is_named_here_is_still_needed_and_its_test_is_there() -> None:
    needed = {entry for name in _untested() for entry in _entries(name)}
    assert set(RUN_BY) - needed == set()
    assert [test for test in RUN_BY.values() if not (TESTS / test).exists()] == []
