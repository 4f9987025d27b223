"""The bill of materials of an installed service, as CycloneDX JSON: `make sbom`.

It lists what the service needs to run, from the metadata of what is installed, with the hashes of
the lock file; tools of development are not in it. The same environment gives the same bytes.
"""

import json
import sys
import uuid
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, distribution
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from release.lock import Pin, read_lock

PROJECT = canonicalize_name("work-in-france-routing")
Requirements = Mapping[NormalizedName, tuple[NormalizedName, ...]]
"""What each distribution needs here, under the markers of this platform."""


def requirements(project: NormalizedName = PROJECT) -> Requirements:
    """The project and everything it needs, directly or not.

    Raises:
        PackageNotFoundError: something it needs is not installed.
    """
    found: dict[NormalizedName, tuple[NormalizedName, ...]] = {}
    waiting: list[tuple[NormalizedName, frozenset[str]]] = [(project, frozenset())]
    seen = set(waiting)
    while waiting:
        name, extras = waiting.pop()
        needs = list(_needs(distribution(name), extras))
        names = {each for each, _ in needs} | set(found.get(name, ()))
        found[name] = tuple(sorted(names))
        waiting += [need for need in needs if need not in seen]
        seen |= set(needs)
    return dict(sorted(found.items()))


def _needs(
    installed: Distribution, extras: frozenset[str]
) -> Iterator[tuple[NormalizedName, frozenset[str]]]:
    for text in installed.requires or ():
        need = Requirement(text)
        marker = need.marker
        if marker is None or any(marker.evaluate({"extra": each}) for each in ("", *extras)):
            yield canonicalize_name(need.name), frozenset(need.extras)


def bill_of_materials() -> dict[str, Any]:
    """The bill of this environment (CycloneDX 1.6)."""
    needed, pins = requirements(), read_lock()
    components = [_component(name, pins) for name in needed if name != PROJECT]
    content = {
        "metadata": {"component": {**_component(PROJECT, pins), "type": "application"}},
        "components": components,
        "dependencies": [
            {"ref": _purl(name), "dependsOn": [_purl(each) for each in needs]}
            for name, needs in needed.items()
        ],
    }
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(content, sort_keys=True))
    head = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1}
    return {**head, "serialNumber": f"urn:uuid:{serial}", **content}


def _purl(name: NormalizedName) -> str:
    return f"pkg:pypi/{name}@{distribution(name).version}"


def _component(name: NormalizedName, pins: Mapping[NormalizedName, Pin]) -> dict[str, Any]:
    installed = distribution(name)
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": _purl(name),
        "name": name,
        "version": installed.version,
        "purl": _purl(name),
    }
    if licence := _licence(installed):
        component["licenses"] = [licence]
    if name in pins:
        component["externalReferences"] = [
            {
                "type": "distribution",
                "url": f"https://pypi.org/project/{name}/{installed.version}/",
                "hashes": [{"alg": "SHA-256", "content": each} for each in pins[name].hashes],
            }
        ]
    return component


def _licence(installed: Distribution) -> dict[str, Any] | None:
    """What a distribution says of its licence: an SPDX expression, else the name it gives."""
    if "License-Expression" in installed.metadata:
        return {"expression": installed.metadata["License-Expression"]}
    classifiers = installed.metadata.get_all("Classifier") or []
    names = [each.rpartition(" :: ")[2] for each in classifiers if each.startswith("License ::")]
    return {"license": {"name": names[0]}} if names else None


def main() -> None:
    """Print the bill."""
    json.dump(bill_of_materials(), sys.stdout, indent=2, sort_keys=True)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
