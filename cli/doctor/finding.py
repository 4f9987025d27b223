"""What a check of `wif doctor` finds, and how it says what to do."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a check ended. A warning does not change the exit code."""

    OK = "ok"
    WARN = "warn"
    WRONG = "wrong"


class Advice(Exception):
    """It works, and there is something to do before it is relied on."""


@dataclass(frozen=True, slots=True)
class DoctorCheck:
    """What one check found; `advice` says what to do when it is not well."""

    check: str
    state: State
    advice: str = ""

    @property
    def well(self) -> bool:
        """Whether it works."""
        return self.state is not State.WRONG
