"""What each command prints with `--json`: the one place that the JSON Schemas come from.

`docs/schemas/wif-*.json` is written from here by `make reference`. Keys are English in every
language; instants are ISO 8601 with their offset, ages are in seconds unless their name says days.
A later version may add keys, and changes or removes none without a word in the changelog.
"""

import json
from typing import Any

from pydantic import TypeAdapter

from cli.json_documents import audit, dossiers, operations, rules
from config.differences import Difference
from service.backup import Manifest
from service.channels import ChannelStatus
from service.secret_age import SecretAge
from store.partitions import Partitioned

DOCUMENTS: dict[str, Any] = {
    "audit actors": list[audit.Actor],
    "audit prove": audit.Proof,
    "audit seal": audit.Sealed,
    "audit trace": list[audit.AuditLine],
    "audit verify": audit.Verified,
    "backup": Manifest,
    "channels enable": operations.Enabled,
    "channels list": list[ChannelStatus],
    "channels test": list[operations.TrialSent],
    "db partition": Partitioned,
    "db upgrade": operations.SchemaVersion,
    "deliveries list": list[dossiers.Delivery],
    "deliveries replay": dossiers.Replayed,
    "doctor": list[operations.DoctorFinding],
    "dossiers list": list[dossiers.Dossier],
    "dossiers reassign": dossiers.Reassigned,
    "dossiers show": dossiers.DossierShown,
    "init": operations.Written,
    "keys list": list[SecretAge],
    "keys rotate-audit": audit.AuditKeyMade,
    "procedures list": list[operations.Procedure],
    "procedures resume": operations.Resumed,
    "procedures show": operations.ProcedureShown,
    "purge": operations.Purged,
    "report": operations.Written,
    "restore": operations.Restored,
    "rules check": rules.RulesChecked,
    "rules coverage": rules.Coverage,
    "rules diff": list[Difference],
    "rules explain": rules.Explanation,
    "rules history": list[rules.Activation],
    "rules publish": rules.Published,
    "rules rollback": rules.Published,
    "rules simulate": rules.Simulation,
    "run-once": operations.Pass,
    "stats": operations.Statistics,
    "status": operations.Status,
    "webhooks create": operations.WebhookChanged,
    "webhooks enable": operations.WebhookChanged,
    "webhooks list": list[operations.Webhook],
    "webhooks renew": operations.WebhookChanged,
}
"""What each command prints; `audit prove` prints it without being asked."""


def schema_of(command: str) -> dict[str, Any]:
    """The JSON Schema of what a command prints, such as `dossiers list`."""
    content = TypeAdapter(DOCUMENTS[command]).json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"wif {command}" + ("" if command == "audit prove" else " --json"),
        **_plain(content),
    }


def schemas() -> dict[str, str]:
    """The schema of each command, as text, by the name of its file."""
    return {
        f"wif-{command.replace(' ', '-')}.json": json.dumps(
            schema_of(command), ensure_ascii=False, indent=2
        )
        + "\n"
        for command in DOCUMENTS
    }


def _plain(value: Any) -> Any:  # noqa: ANN401
    """`value` without the titles made from names, and without docstrings and defaults.

    Docstrings are for those who read the code; what has a default is printed all the same.
    """
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    dropped = {"title", "description", "default"}
    return {
        key: {name: _plain(each) for name, each in item.items()}
        if key == "properties"
        else _plain(item)
        for key, item in value.items()
        if key == "properties" or not (key in dropped and not isinstance(item, dict))
    }
