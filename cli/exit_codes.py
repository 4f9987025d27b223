"""What each exit code means: of every command, and of those that say more by theirs."""

from config.messages import mark, tr

EXIT_CODES = {
    0: mark("done, and what was looked at is well"),
    1: mark("could not be done, or what was looked at is not well"),
    2: mark("called wrongly, or a setting or file is wrong: nothing was done"),
    3: mark("done, and somebody should look at what it says"),
}
"""What a code means whatever the command; every code of the program is here."""

OF_COMMANDS = {
    "status": {
        1: mark("the status could not be told"),
        3: mark("an incident is open, or beat or a worker that once lived is not seen"),
    },
    "doctor": {1: mark("something does not work")},
    "run-once": {1: mark("something of the pass failed")},
    "restore": {3: mark("restored, but what was sent since is not known, or not all of it")},
    "audit verify": {
        1: mark("something was changed"),
        2: mark("could not be checked"),
        3: mark("an export that nobody signed, or lines under no seal though a key is known"),
    },
    "channels test": {1: mark("a trial was not accepted")},
    "procedures show": {1: mark("a field that routing reads is not found on the form")},
    "rules check": {1: mark("mistakes"), 2: mark("a file could not be read")},
    "rules simulate": {3: mark("something would move")},
}
"""What codes of single commands mean more precisely."""


def lines() -> list[str]:
    """The codes of every command, one a line, in the language of the program."""
    return [
        tr("{code}: {meaning}", code=code, meaning=tr(meaning))
        for code, meaning in EXIT_CODES.items()
    ]


def page() -> str:
    """`docs/exit-codes.md`, in English whatever the language."""
    every = [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()]
    single = [
        f"| `wif {command}` | {code} | {meaning} |"
        for command, meanings in OF_COMMANDS.items()
        for code, meaning in meanings.items()
    ]
    return "\n".join(
        [
            "# Exit codes",
            "",
            "Made by `make reference` from the table that the program goes by; a test keeps both",
            "in step. `wif --help` shows the first table. A signal ends with 128 and its number.",
            "",
            "| code | meaning |",
            "|---|---|",
            *every,
            "",
            "Where a command says more by its code:",
            "",
            "| command | code | meaning |",
            "|---|---|---|",
            *single,
            "",
        ]
    )
