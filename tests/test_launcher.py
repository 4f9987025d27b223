"""A foreign module that would stand in for one of ours is named, and does not run."""

import subprocess
import sys
from pathlib import Path

import pytest

import wif_launcher
from tests.fixtures.processes import ROOT, clean_environment

FOREIGN = "import pathlib; pathlib.Path(__file__).with_suffix('.ran').touch()\n"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder with modules of our names that leave a trace when they run."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for name in ("config", "tasks", "celeryconfig"):
        (folder / f"{name}.py").write_text(FOREIGN)
    return folder


def start(folder: Path, *command: str, **given: str) -> subprocess.CompletedProcess[str]:
    """A program of this interpreter, started in `folder`."""
    environment = clean_environment({"WIF_VAR_DIR": str(folder / "var"), **given})
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_module_in_pythonpath_is_named_and_does_not_run(elsewhere: Path) -> None:
    ran = start(
        elsewhere, "-P", "-m", "wif_launcher", "--version", PYTHONPATH=f"{elsewhere}:{ROOT}"
    )
    assert ran.returncode == 2
    assert f"{elsewhere / 'config.py'}: would be imported in place of" in ran.stderr
    assert not list(elsewhere.glob("*.ran"))


def test_celery_in_a_folder_with_a_module_of_our_name_is_refused(elsewhere: Path) -> None:
    (elsewhere / "tasks.py").unlink()  # the one that Celery itself would look for
    ran = start(elsewhere, "-m", "celery", "-A", "tasks", "report", PYTHONPATH=str(ROOT))
    assert ran.returncode == 2
    assert "wif worker" in ran.stderr
    assert not list(elsewhere.glob("*.ran"))


@pytest.mark.parametrize("command", ["worker", "beat"])
def test_celery_is_started_by_us_wherever_it_is_called(elsewhere: Path, command: str) -> None:
    # A setting that Celery's configuration refuses shows that it was ours that was read.
    ran = start(
        elsewhere, "-P", "-m", "wif_launcher", command, PYTHONPATH=str(ROOT), WIF_POLL_INTERVAL="x"
    )
    assert ran.returncode == 2
    assert ran.stderr.startswith("WIF_POLL_INTERVAL: ")
    assert not list(elsewhere.glob("*.ran"))


def test_the_application_finds_its_configuration_where_python_does(elsewhere: Path) -> None:
    code = "from tasks.celery import app; print(app.conf.task_default_queue, app.conf.timezone)"
    ran = start(elsewhere, "-P", "-c", code, PYTHONPATH=str(ROOT))
    assert ran.stdout.split() == ["upkeep", "UTC"], ran.stderr
    assert not list(elsewhere.glob("*.ran"))


def test_every_package_of_ours_is_looked_for() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages - {"tests", "benchmarks", "release"} <= set(wif_launcher.MODULES)
