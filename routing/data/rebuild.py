"""Make the territory's data files from the official list.

    npm pack @etalab/decoupage-administratif && tar xzf etalab-*.tgz
    python -m routing.data.rebuild package

The argument is the unpacked npm package. The two files beside this script are
written anew; the same package always gives the same content.
"""

import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOURCE = "@etalab/decoupage-administratif"
HERE = Path(__file__).parent
TERRITORY = "territory.json"
COMMUNES = "communes.tsv.gz"

Row = Mapping[str, Any]


class UnreadablePackage(Exception):
    """The folder is not the npm package `@etalab/decoupage-administratif`."""


@dataclass(frozen=True, slots=True)
class Package:
    """What is used of the npm package."""

    origin: Mapping[str, str]
    regions: tuple[Row, ...]
    departments: tuple[Row, ...]
    communes: tuple[Row, ...]


def read(folder: Path) -> Package:
    """The unpacked npm package in `folder`.

    Raises:
        UnreadablePackage: a file is missing or has another shape, or it is another package.
    """
    (description,) = _rows(folder / "package.json", "name", "version", "license")
    if description["name"] != SOURCE:
        raise UnreadablePackage(f"{folder}: not the package {SOURCE}")
    data = folder / "data"
    return Package(
        origin={key: description[key] for key in ("name", "version", "license")},
        regions=_rows(data / "regions.json", "code", "nom"),
        departments=_rows(data / "departements.json", "code", "nom", "region"),
        communes=_rows(data / "communes.json", "code", "nom", "departement", "type"),
    )


def _rows(path: Path, *keys: str) -> tuple[Row, ...]:
    """The objects of a JSON file, each of which must have `keys`."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadablePackage(f"{path}: missing or not JSON") from error
    rows = content if isinstance(content, list) else [content]
    for row in rows:
        if not isinstance(row, dict) or not row.keys() >= set(keys):
            raise UnreadablePackage(f"{path}: each entry must have {', '.join(keys)}")
    return tuple(rows)


def territory(package: Package) -> str:
    """The content of `territory.json`: what nearly every question needs."""
    served = _departments_by_code(package.communes)
    shared = sorted(code for code, found in served.items() if len(found) > 1)
    content = {
        "origin": dict(package.origin),
        "regions": {row["code"]: row["nom"] for row in _sorted(package.regions)},
        "departments": {
            row["code"]: {"name": row["nom"], "region": row["region"]}
            for row in _sorted(package.departments)
        },
        "moved_communes": {
            row["code"]: row["departement"]
            for row in _sorted(package.communes)
            if not row["code"].startswith(row["departement"])
        },
        "postal_codes": _codes_by_department(served),
        "shared_codes": {code: _names(package.communes, code) for code in shared},
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def communes(package: Package) -> str:
    """The content of `communes.tsv.gz`, unpacked: a line for each that has a postal code."""
    lines = [
        "\t".join((row["code"], row["departement"], row["nom"], " ".join(row["codesPostaux"])))
        for row in _sorted(package.communes)
        if row.get("codesPostaux")
    ]
    origin = package.origin
    source = f"{origin['name']} {origin['version']} ({origin['license']})"
    head = f"# {source}: insee, department, name, postal codes"
    return "\n".join([head, *lines, ""])


def write(package: Package, folder: Path = HERE) -> None:
    """Write both files into `folder`."""
    (folder / TERRITORY).write_text(territory(package), encoding="utf-8", newline="\n")
    packed = gzip.compress(communes(package).encode(), compresslevel=9, mtime=0)
    (folder / COMMUNES).write_bytes(packed)


def _sorted(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row["code"], row.get("type", ""), row["nom"]))


def _departments_by_code(rows: Iterable[Row]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for code in row.get("codesPostaux", ()):
            found[code].add(row["departement"])
    return found


def _codes_by_department(served: Mapping[str, set[str]]) -> dict[str, str]:
    found: dict[str, list[str]] = defaultdict(list)
    for code in sorted(served):
        for department in served[code]:
            found[department].append(code)
    return {department: " ".join(found[department]) for department in sorted(found)}


def _names(rows: Iterable[Row], code: str) -> dict[str, list[str]]:
    """The communes of a postal code by département, with the former communes that are part of them.

    People go on typing the name of a commune that was merged into another.
    """
    named = [row for row in rows if code in row.get("codesPostaux", ())]
    heads = {row["code"] for row in named}
    named += [row for row in rows if "codesPostaux" not in row and row.get("chefLieu") in heads]
    found: dict[str, set[str]] = defaultdict(set)
    for row in named:
        found[row["departement"]].add(row["nom"])
    return {department: sorted(found[department]) for department in sorted(found)}


def main(arguments: list[str]) -> int:
    """Rebuild from the folder given; 0 when done, 2 when it cannot be read."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m routing.data.rebuild PACKAGE_DIR\n")
        return 2
    try:
        write(read(Path(arguments[0])))
    except UnreadablePackage as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
