"""A secret as the connectors are given it."""

from typing import Protocol


class Secret(Protocol):
    """A value that shows itself only when asked, such as pydantic's `SecretStr`."""

    def get_secret_value(self) -> str: ...
