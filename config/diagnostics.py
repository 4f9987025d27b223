"""Mistakes in the configuration: where each one is, what is wrong, and what to write instead."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz import fuzz, process

from config.messages import joined, tr
from routing.text import normalise

_LONGEST_TEXT = 60
_ALIKE = 70
"""From this score (0 to 100) on, two words are alike enough to propose one for the other."""

_SHORTEST_NUMBER = 3
"""Digits from which on one wrong digit leaves a number that is like the right one."""


class Code(StrEnum):
    """Kinds of mistake. `docs/guide-admin.md` says what each one means."""

    # the file
    UNREADABLE = "unreadable"
    TOO_LARGE = "too-large"
    NOT_UTF8 = "not-utf-8"
    EMPTY_FILE = "empty-file"
    SYNTAX = "syntax"
    TAB = "tab"
    TOO_DEEP = "too-deep"
    ALIAS = "alias"
    TAG = "tag"
    SEVERAL_DOCUMENTS = "several-documents"
    DUPLICATE_KEY = "duplicate-key"
    CONTROL_CHARACTER = "control-character"
    AMBIGUOUS_SCALAR = "ambiguous-scalar"
    TYPOGRAPHY = "typography"
    # the shape
    MISSING_KEY = "missing-key"
    UNKNOWN_KEY = "unknown-key"
    WRONG_TYPE = "wrong-type"
    UNQUOTED_CODE = "unquoted-code"
    WRONG_VALUE = "wrong-value"
    EMPTY_VALUE = "empty-value"
    WRONG_DATE = "wrong-date"
    # codes
    UNKNOWN_DEPARTMENT = "unknown-department"
    DEPARTMENT_LABEL_DISAGREES = "department-label-disagrees"
    LOWER_CASE_DEPARTMENT = "lower-case-department"
    UNKNOWN_REGION = "unknown-region"
    UNKNOWN_UNIT = "unknown-unit"
    UNKNOWN_PROCEDURE = "unknown-procedure"
    UNKNOWN_PERMIT_TYPE = "unknown-permit-type"
    UNKNOWN_KIND = "unknown-kind"
    TWICE = "twice"
    # units
    UNIT_CODE_DISAGREES = "unit-code-disagrees"
    UNIT_NAME_DISAGREES = "unit-name-disagrees"
    DEPARTMENT_SERVED_TWICE = "department-served-twice"
    DEPARTMENT_NOT_SERVED = "department-not-served"
    DATES_REVERSED = "dates-reversed"
    SUCCESSOR_WITHOUT_CLOSING = "successor-without-closing"
    SUCCESSOR_CLOSED = "successor-closed"
    SUCCESSOR_LOOP = "successor-loop"
    FALLBACK_NOT_ALWAYS_OPEN = "fallback-not-always-open"
    ESCALATES_TO_NOBODY = "escalates-to-nobody"
    MAILBOX_MALFORMED = "mailbox-malformed"
    MAILBOX_PERSONAL = "mailbox-personal"
    MAILBOX_PLACEHOLDER = "mailbox-placeholder"
    MAILBOX_DOMAIN_UNLIKE = "mailbox-domain-unlike"
    MAILBOX_TWICE = "mailbox-twice"
    MAILBOX_DISAGREES = "mailbox-disagrees"
    CHANNEL_ADDRESS = "channel-address"
    CHANNEL_TWICE = "channel-twice"
    # procedures and permit types
    PROCEDURE_TWICE = "procedure-twice"
    PROCEDURE_DEPARTMENT_DISAGREES = "procedure-department-disagrees"
    FIELD_NOT_ON_FORM = "field-not-on-form"
    LABEL_TWICE = "label-twice"
    RECOGNISED_TWICE = "recognised-twice"
    # rules
    CONDITION_TOO_COMPLEX = "condition-too-complex"
    CLOSED_UNIT_TARGETED = "closed-unit-targeted"
    RULE_NEVER_MATCHES = "rule-never-matches"
    RULE_DUPLICATE = "rule-duplicate"
    RULE_SHADOWED = "rule-shadowed"
    DIGEST_WITHOUT_TIMES = "digest-without-times"
    EXAMPLE_WRONG = "example-wrong"


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Diagnostic:
    """One mistake.

    Attributes:
        file: path as it was given.
        line: from 1.
        column: from 1, in characters.
        text: what stands there, shortened.
        message: what is wrong with it.
        proposal: what to write instead, None when nothing can be proposed.
    """

    file: str
    line: int
    column: int
    code: Code
    text: str
    message: str
    proposal: str | None = None

    @property
    def place(self) -> tuple[str, int, int]:
        """Where it is."""
        return self.file, self.line, self.column

    @property
    def unreadable(self) -> bool:
        """Whether the file could not be read at all, so that more may be wrong with it."""
        return self.code is Code.UNREADABLE

    def __str__(self) -> str:
        return str(self.told())

    def told(self) -> str:
        """All of it on one line, for scripts and for people."""
        place = f"{self.file}:{self.line}:{self.column}: {self.code}:"
        text = f"`{self.text}`" if self.text else ""
        proposal = joined(("(", self.proposal, ")"), "") if self.proposal else ""
        return joined(filter(None, (place, text, self.message, proposal)), " ")


class ConfigurationError(Exception):
    """The configuration is refused. Its text is one line for each mistake.

    Attributes:
        mistakes: all of them, by file and position.
    """

    def __init__(self, mistakes: Iterable[Diagnostic]) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        super().__init__(joined(mistake.told() for mistake in self.mistakes))

    @property
    def unreadable(self) -> bool:
        """Whether something could not be read at all, so that the list may be incomplete."""
        return any(mistake.unreadable for mistake in self.mistakes)


def shorten(text: str) -> str:
    """`text` on one line and short enough for a message."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_TEXT else f"{line[: _LONGEST_TEXT - 1]}…"


def nearest(text: str, choices: Sequence[str]) -> str | None:
    """The choice most like `text` as a whole, None when none is alike.

    A choice of which `text` is only a part, or the other way round, is not alike.
    """
    if text.isdigit() and len(text) < _SHORTEST_NUMBER:
        return None
    found = process.extractOne(
        text, choices, scorer=fuzz.ratio, processor=normalise, score_cutoff=_ALIKE
    )
    return found[0] if found else None


def did_you_mean(text: str, choices: Sequence[str]) -> str | None:
    """A question that proposes the choice most like `text`, None when none is alike."""
    found = nearest(text, choices)
    return tr("did you mean `{choice}`?", choice=found) if found else None


def hinted(message: str, hint: str | None) -> str:
    """`message`, with `hint` after it where there is one."""
    return joined((message, tr("; {hint}", hint=hint)), "") if hint else message
