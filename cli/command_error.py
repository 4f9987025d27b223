"""What a command says when it cannot do what it was asked."""


class CommandError(Exception):
    """A command cannot do what it was asked: one line that says what to do, and an exit code."""

    def __init__(self, message: str, *, code: int = 1) -> None:
        super().__init__(message)
        self.code = code
