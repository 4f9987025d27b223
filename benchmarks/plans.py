"""Which statements a piece of work executes, how long each takes, and PostgreSQL's plan of it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, event

from store.engine import Database

_EXPLAINED = {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}


@dataclass
class Statement:
    """One statement, however often it was executed.

    Attributes:
        plan: the planner's, at the first execution.
        times: how often it was executed.
        milliseconds: of all executions, on the clock, rows that are streamed later left out.
        longest: of one.
    """

    plan: list[str]
    times: int = 0
    milliseconds: float = 0.0
    longest: float = 0.0

    def took(self, milliseconds: float) -> None:
        """Note one execution."""
        self.times += 1
        self.milliseconds += milliseconds
        self.longest = max(self.longest, milliseconds)


@dataclass
class Plans:
    """The statements of one piece of work, by their text."""

    statements: dict[str, Statement] = field(default_factory=dict)
    explaining: float = 0.0
    """Milliseconds that the work took longer because of the questions for plans."""

    def document(self) -> list[dict[str, Any]]:
        """All of them, the dearest first."""
        dearest = sorted(self.statements.items(), key=lambda each: -each[1].milliseconds)
        return [
            {
                "statement": " ".join(text.split()),
                "times": each.times,
                "ms": round(each.milliseconds, 2),
                "longest": round(each.longest, 2),
                "plan": each.plan,
            }
            for text, each in dearest
        ]

    def before(self, connection: Connection, statement: str, parameters: Any) -> None:  # noqa: ANN401
        """Ask for the plan of a statement that was not seen yet."""
        began = time.perf_counter()
        if statement not in self.statements:
            self.statements[statement] = Statement(_plan(connection, statement, parameters))
        now = time.perf_counter()
        self.explaining += (now - began) * 1000
        connection.info["began"] = now

    def after(self, connection: Connection, statement: str) -> None:
        """Note how long it took."""
        self.statements[statement].took((time.perf_counter() - connection.info["began"]) * 1000)


@contextmanager
def planned(database: Database) -> Iterator[Plans]:
    """What is executed within the block."""
    plans = Plans()

    def before(connection: Connection, _: object, statement: str, given: Any, *__: object) -> None:  # noqa: ANN401
        plans.before(connection, statement, given)

    def after(connection: Connection, _: object, statement: str, *__: object) -> None:
        plans.after(connection, statement)

    event.listen(database.engine, "before_cursor_execute", before)
    event.listen(database.engine, "after_cursor_execute", after)
    try:
        yield plans
    finally:
        event.remove(database.engine, "before_cursor_execute", before)
        event.remove(database.engine, "after_cursor_execute", after)


def _plan(connection: Connection, statement: str, parameters: Any) -> list[str]:  # noqa: ANN401
    if statement.split(maxsplit=1)[0] not in _EXPLAINED:
        return []
    given = parameters[0] if isinstance(parameters, list) else parameters
    cursor = connection.connection.cursor()
    cursor.execute(f"EXPLAIN {statement}", given)
    plan = [row[0] for row in cursor.fetchall()]
    cursor.close()
    return plan
