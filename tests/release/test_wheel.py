"""The wheel: the same bytes whoever builds it, and a working `wif` in an environment of its own."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.fixtures.compose_file import ROOT
from tests.fixtures.processes import clean_environment

pytestmark = pytest.mark.xdist_group("wheel")

UV = Path(sys.executable).parent / "uv"
NOT_SHIPPED = {"tests", "benchmarks", "release"}
SOURCES = (
    *("pyproject.toml", "README.md", "LICENSE", "celeryconfig.py", "wif_launcher.py"),
    "docs/wif.1",
)


def build(source: Path, out: Path) -> Path:
    """Build the wheel of the checkout in `source`."""
    command = [
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "--target",
        "wheel",
        "--directory",
        str(out),
    ]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (wheel,) = out.glob("*.whl")
    return wheel


def packages() -> list[str]:
    """The folders of the checkout that the wheel is made of."""
    return sorted(
        path.parent.name
        for path in ROOT.glob("*/__init__.py")
        if path.parent.name not in NOT_SHIPPED
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that holds the wheel and its dependencies, and nothing of the checkout."""
    folder = tmp_path_factory.mktemp("environment") / "wif"
    quiet = ("--quiet", "--offline", "--no-config")
    subprocess.run([UV, "venv", *quiet, "--python", sys.executable, folder], check=True)
    install = ("pip", "install", *quiet, "--no-deps", "--python", folder / "bin" / "python")
    subprocess.run([UV, *install, wheel], check=True, env=os.environ | {"UV_NO_CACHE": "1"})
    # What the lock holds stands in for downloads. A .pth file there is not read, so neither is
    # the one that leads to the checkout.
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def run(
    environment: Path, folder: Path, *arguments: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run the installed `wif` in `folder`."""
    given = clean_environment({"WIF_VAR_DIR": str(folder / "var"), **settings})
    given.pop("PYTHONPATH", None)
    return subprocess.run(
        [environment / "bin" / "wif", *arguments],
        cwd=folder,
        env=given,
        capture_output=True,
        text=True,
        check=False,
    )


def test_two_builds_have_the_same_bytes(wheel: Path, tmp_path: Path) -> None:
    """Also in another place, with other dates and other rights."""
    copy = tmp_path / "copy"
    ignore = shutil.ignore_patterns("__pycache__")
    for name in packages():
        shutil.copytree(ROOT / name, copy / name, ignore=ignore, copy_function=shutil.copyfile)
    for name in SOURCES:
        (copy / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / name, copy / name)
    for path in copy.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        path.chmod(0o700 if path.is_dir() else 0o600)
    assert build(copy, tmp_path / "dist").read_bytes() == wheel.read_bytes()


def test_the_wheel_holds_the_packages_the_rules_and_the_licence(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if not re.search(r"\.(dist-info|data)/", name)}
    assert tops == {*packages(), "celeryconfig.py", "wif_launcher.py"}
    assert {f"config/{path.name}" for path in (ROOT / "config").glob("*.yaml")} <= set(names)
    assert "cli/locale/fr/LC_MESSAGES/wif.mo" in names
    assert any(name.endswith("dist-info/licenses/LICENSE") for name in names)
    assert any(name.endswith(".data/data/share/man/man1/wif.1") for name in names)
    assert not any("__pycache__" in name for name in names)


def test_the_installed_command_works_with_its_own_rules(environment: Path, tmp_path: Path) -> None:
    checked = run(environment, tmp_path, "rules", "check")
    assert checked.returncode == 0, checked
    looked = run(environment, tmp_path, "status", WIF_LANG="fr")
    assert looked.returncode == 0, looked
    assert "règles en vigueur" in looked.stdout


def test_the_installed_command_is_no_other_whatever_lies_around(
    environment: Path, tmp_path: Path
) -> None:
    for name in ("config", "cli", "tasks", "wif_launcher"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(99)")
    made = run(environment, tmp_path, "init", "here")
    assert made.returncode == 0, made
    assert (tmp_path / "here" / "config" / "units.yaml").is_file()
