"""Logs: codes and numbers that are declared, and nothing else, from every library.

Every line of the process, ours or a library's, is reduced to declared fields before
any handler sees it, at DEBUG as well. A text that a person typed, an answer, an
argument, an exception's message: none of them is a declared field.
"""

from config.logs.fields import FIELDS, declared
from config.logs.line import bound, dropped, get_logger
from config.logs.output import configure

__all__ = ["FIELDS", "bound", "configure", "declared", "dropped", "get_logger"]
