"""Edits of rule files, as an admin makes them."""

from pathlib import Path


def edit(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def paris_goes_to_bobigny(folder: Path) -> None:
    """One more rule, first of all: doctoral students of Paris go to Seine-Saint-Denis."""
    edit(
        folder,
        "routing.yaml",
        "rules:\n",
        """rules:
  - id: doctorants-de-paris
    why: Les doctorants de Paris sont suivis à Bobigny.
    when:
      permit_type: doctorat
      department: 75 - Paris
    send_to: UD093
    examples:
      - given: { permit_type: doctorat, department: 75 - Paris }
        decided: 2020-11-02
        unit: UD093

""",
    )
