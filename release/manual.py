"""The manual page `wif(1)`, made from the commands and their options.

Tools that make manual pages of Click commands do not know those of Typer, which has its own.
"""

import inspect
import re
from collections.abc import Iterator
from typing import Any

from cli.exit_codes import EXIT_CODES
from cli.main import COMMANDS, build

HEAD = """.TH WIF 1 "" "Work In France" "User commands"
.SH NAME
wif \\- route work-authorization dossiers from TPS to the competent office
.SH SYNOPSIS
.B wif
.I COMMAND
[\\fIOPTION\\fR]...
.SH DESCRIPTION
Polls TPS for dossiers, finds the office that is competent for each by the rules in force, and tells
it by mail or webhook. Settings are environment variables or lines of a file \\fI.env\\fR.
.SH COMMANDS
"""
FOOT = """.SH FILES
.TP
.I .env
Settings, where they are not in the environment.
.TP
.I config/
The rules that an administrator edits: \\fIWIF_CONFIG_DIR\\fR.
.TP
.I var/
What the service writes: \\fIWIF_VAR_DIR\\fR.
"""
_OWN = {"--help", "--version", "--install-completion", "--show-completion"}


def manual_page() -> str:
    """The whole page, as roff."""
    return HEAD + "".join(_commands()) + _statuses() + FOOT


def _commands() -> Iterator[str]:
    for name in sorted(COMMANDS):
        command: Any = build(name).commands[name]
        yield from _command(f"wif {name}", command)


def _command(path: str, command: Any) -> Iterator[str]:  # noqa: ANN401 - the parser's are private
    if hasattr(command, "commands"):
        for name in sorted(command.commands):
            yield from _command(f"{path} {name}", command.commands[name])
        return
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    shown = "".join(f" {_metavar(each)}" for each in arguments)
    yield f".SS {_plain(path + shown)}\n{_paragraphs(command.help)}"
    options = [each for each in command.params if each.param_type_name == "option"]
    for option in (each for each in options if not _OWN & {*each.opts}):
        yield _option(option)


def _option(option: Any) -> str:  # noqa: ANN401
    names = ", ".join((*option.opts, *option.secondary_opts))
    value = "" if option.is_flag else f" {_metavar(option)}"
    return f".TP\n.B {_plain(names + value)}\n{_plain(option.help or '')}\n"


def _metavar(parameter: Any) -> str:  # noqa: ANN401
    shown = parameter.metavar or parameter.name.upper().strip("_")
    return str(shown)


def _paragraphs(text: str | None) -> str:
    parts = re.split(r"\n\s*\n", inspect.cleandoc(text or ""))
    return "".join(f"{_plain(' '.join(part.split()))}\n.PP\n" for part in parts)


def _statuses() -> str:
    rows = [f".TP\n.B {code}\n{_plain(meaning)}\n" for code, meaning in EXIT_CODES.items()]
    return ".SH EXIT STATUS\n" + "".join(rows)


def _plain(text: str) -> str:
    """`text` without what roff would take for a request."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
