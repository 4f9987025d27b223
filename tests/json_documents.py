"""What `--json` prints is what its JSON Schema says: checked wherever a test runs a command."""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from cli.json_documents import DOCUMENTS, schema_of


def check_json(arguments: Sequence[str], printed: str) -> None:
    """Validate what a command printed; a key that the schema does not know is refused, too.

    Raises:
        ValidationError: it is not what the schema says.
    """
    validator = _validator(command_of(arguments))
    documents = printed.splitlines() if "--watch" in arguments else [printed]
    for document in documents:
        validator.validate(json.loads(document))


def command_of(arguments: Sequence[str]) -> str:
    """The command that is called, as it is listed among the documents."""
    words = [each for each in arguments if not each.startswith("-")]
    return next(found for n in (2, 1) if (found := " ".join(words[:n])) in DOCUMENTS)


@cache
def _validator(command: str) -> Draft202012Validator:
    schema = schema_of(command)
    _close(schema)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def _close(part: Any) -> None:  # noqa: ANN401
    """Let every object have the listed keys alone."""
    if isinstance(part, dict):
        if "properties" in part:
            part["additionalProperties"] = False
        for each in part.values():
            _close(each)
    elif isinstance(part, list):
        for each in part:
            _close(each)
