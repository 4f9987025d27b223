"""What an audit command said, and how it is called."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from store.engine import Database
from tests.store.audit.samples import tampering


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401
        return json.loads(self.out)


Wif = Callable[..., Outcome]


def tamper(database: Database, statement: str) -> None:
    with tampering(database) as connection:
        connection.execute(text(statement))
