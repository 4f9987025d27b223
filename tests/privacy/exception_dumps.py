"""An exception in every form in which programs show, keep or pass one on."""

import copy
import io
import json
import pickle
import traceback

from rich.console import Console
from rich.traceback import Traceback


def shown(error: BaseException) -> bytes:
    """An exception in every form in which programs show, keep or pass one on."""
    screen = io.StringIO()
    console = Console(file=screen, width=200)
    console.print(
        Traceback.from_exception(
            type(error), error, error.__traceback__, show_locals=True, locals_max_string=100_000
        )
    )
    with_locals = traceback.TracebackException.from_exception(error, capture_locals=True)
    forms = [
        *("".join(with_locals.format()), screen.getvalue()),
        *(str(error), repr(error), repr(error.args), f"{error}", repr(vars(error))),
        repr(copy.copy(error)),
        json.dumps(vars(error), default=repr),
    ]
    return "\n".join(forms).encode("utf-8", "surrogatepass") + pickle.dumps(error)
