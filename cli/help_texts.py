"""The help of commands in the language of the program, the parser's own words included."""

import inspect
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from config.messages import mark, speak_to_scripts, tr

USAGE = mark("Usage: ")

PARSER = (
    *(mark("Options"), mark("Arguments"), mark("Commands"), mark("Error"), mark("Aborted.")),
    *(mark("[default: {}]"), mark("[required]"), mark("(dynamic)"), mark("(deprecated) ")),
)
"""Words that the parser takes from the catalogue by itself."""

HELP = mark("Show this message and exit.")


def translate(command: Any) -> None:  # noqa: ANN401 - the parser's own classes are private
    """Put the help of a command, of its options and of those below it into our language."""
    if command.help:
        command.help = tr(_tidy(command.help))
    if command.options_metavar:
        command.options_metavar = tr(command.options_metavar)
    command.get_usage = partial(_usage, command.get_usage)
    command.get_help_option = partial(_help_option, command.get_help_option)
    for parameter in command.params:
        if getattr(parameter, "help", None):
            parameter.help = tr(parameter.help)
        if called := _called(parameter):
            parameter.metavar = tr(called)
        if "--json" in parameter.opts:
            parameter.callback = _for_scripts
    if below := getattr(command, "commands", None):
        command.subcommand_metavar = tr(command.subcommand_metavar)
        for each in below.values():
            translate(each)


def texts(command: Any) -> Iterator[str]:  # noqa: ANN401
    """Every text that `translate` translates in a command and below it."""
    if command.help:
        yield _tidy(command.help)
    if command.options_metavar:
        yield command.options_metavar
    for parameter in command.params:
        if getattr(parameter, "help", None):
            yield parameter.help
        called = _called(parameter)
        if called and "|" not in called:  # codes are not translated
            yield called
    if below := getattr(command, "commands", None):
        yield command.subcommand_metavar
        for each in below.values():
            yield from texts(each)


def _called(parameter: Any) -> str | None:  # noqa: ANN401
    """What stands for the value of a parameter; an argument's name where nothing else is given."""
    named = parameter.name.upper() if parameter.param_type_name == "argument" else None
    called: str | None = parameter.metavar or named
    return called


def _tidy(text: str) -> str:
    """`text` with one line for each paragraph: the terminal says where lines end."""
    return re.sub(r"(?<=\S)\n(?=\S)", " ", inspect.cleandoc(text))


def _usage(usage: Any, context: Any) -> str:  # noqa: ANN401
    return str(usage(context)).replace(USAGE, tr(USAGE), 1)


def _help_option(option_of: Any, context: Any) -> Any:  # noqa: ANN401
    option = option_of(context)
    if option is not None:
        option.help = tr(HELP)
    return option


def _for_scripts(_context: object, _parameter: object, wanted: object) -> object:
    """What scripts read is the same for every user, the texts in it included; what goes to
    standard error beside it is for people."""
    if wanted:
        speak_to_scripts()
    return wanted
