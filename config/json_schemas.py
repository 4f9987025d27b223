"""JSON Schemas of the four files, for editors that complete and underline.

They say what one file can say alone; `wif rules check` says the rest.
"""

import json
from pathlib import Path
from typing import Any

from config.entry import Entry
from config.schema import FILES

DIRECTORY = Path(__file__).resolve().parent / "schemas"
"""Where the shipped ones are; the first line of each shipped file points there."""


def schema_name(name: str) -> str:
    """The schema's name for a file's: `units.json` for `units.yaml`."""
    return f"{name.removesuffix('.yaml')}.json"


def schemas() -> dict[str, str]:
    """The schemas, as text, by their names."""
    return {schema_name(name): _schema(model) for name, model in FILES.items()}


def write_schemas(directory: Path) -> list[Path]:
    """Writes the schemas into `directory`, which is made when it is not there."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in schemas().items():
        path = directory / name
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def _schema(model: type[Entry]) -> str:
    content = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_for_people(model.model_json_schema(by_alias=True)),
    }
    for part in (content, *content.get("$defs", {}).values()):
        part.pop("description", None)  # the docstring, which is for those who read the code
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _for_people(value: Any) -> Any:  # noqa: ANN401
    """`value` without the titles made from names, and without null, which the files do not know."""
    if isinstance(value, list):
        return [_for_people(item) for item in value if item != {"type": "null"}]
    if not isinstance(value, dict):
        return value
    kept = {
        key: _for_people(item)
        for key, item in value.items()
        if not (key == "title" and isinstance(item, str))
        and not (key == "default" and item is None)
    }
    alternatives = kept.get("anyOf", [])
    if len(alternatives) == 1:
        del kept["anyOf"]
        return {**alternatives[0], **kept}
    return kept
