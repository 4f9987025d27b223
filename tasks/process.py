"""The runtime of a process: made on first use, because nothing is inherited over a fork."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from service.runtime import Runtime


class ProcessRuntime:
    """Holds the runtime of one process.

    Args:
        make: a runtime by the settings as they are.
    """

    def __init__(self, make: Callable[[], Runtime]) -> None:
        self._make = make
        self.made: Runtime | None = None

    def get(self) -> Runtime:
        """The runtime, with what the files of secrets say now."""
        if self.made is None:
            self.made = self._make()
        self.made.refresh()
        return self.made

    def forget(self) -> None:
        """Leave what was made to the process that forked this one."""
        self.made = None

    @contextmanager
    def using(self, runtime: Runtime) -> Iterator[None]:
        """Work with that runtime in this block."""
        before, self.made = self.made, runtime
        try:
            yield
        finally:
            self.made = before
