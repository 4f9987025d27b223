"""The values that may stand in the four files: codes, départements, regions, texts.

Each refuses what it does not take with a code and a proposal, and describes itself to the
JSON Schemas.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError

from config.diagnostics import Code, did_you_mean, nearest
from config.messages import joined, mark, tr
from routing.ruleset import DEPARTMENT_UNIT
from routing.territory import departments, read_department, regions
from routing.text import normalise

_CODE_AND_NAME = re.compile(r"([0-9A-Za-z]+)(?:\s*[-–]\s*(.*))?")
_LEADING_CODE = re.compile(r"^\s*(?:[0-9]|[Oo][0-9])\w*\s*[-–—:]?\s*")
_DASH = re.compile(r"[-–—\s]")
_RANGE = re.compile(r"\D*?(\d{1,3})\s*(?:-|–|—|à|a|jusqu'à|jusqu’à|\.\.+|…)\s*(\d{1,3})\s*")
"""Two numbers from one to the other."""

_CODE = re.compile(r"(?<![0-9A-Za-z])([0-9]{2,3}|2[ABab])(?![0-9A-Za-z])")
_LONGEST_RANGE = 12
"""Départements up to which a range is written out in a proposal."""

SEPARATORS = re.compile(r"\s*[,;/|&+]\s*|\s+(?:et|ou|puis)\s+|\n")
"""What people put between two values that they write into one text."""

_BEFORE_CODE = re.compile(r"\s+(?=(?:[0-9]{2,3}|2[ABab])(?![0-9A-Za-z]))")
_CORSICA = "20"
"""The code of Corsica before 1976; postal codes still begin with it."""

_LARGEST_ID = 2**31 - 1


def refusal(
    code: Code, message: str, proposal: str | None = None, *, at: tuple[str, ...] = ()
) -> PydanticCustomError:
    """A mistake in a value, for a validator to raise.

    Args:
        at: the key below the value that is wrong.
    """
    context = {"code": code, "message": message, "proposal": proposal, "at": at}
    return PydanticCustomError("refused", "{message}", context)


def labelled(code: str) -> str:
    """A département as people write it: `75 - Paris`."""
    return f"{code} - {departments()[code].name}"


def _department(text: str) -> str:
    """The code in `75 - Paris` or `75`; what a form would accept is not good enough here."""
    if (span := _range(text)) is not None:
        raise refusal(Code.WRONG_VALUE, *span)
    if len(several := _several_departments(text)) > 1:
        choices = ", ".join(f'"{labelled(code)}"' for code in several)
        raise refusal(
            Code.WRONG_VALUE,
            tr("names several départements in one text"),
            tr("write a list: [{choices}]", choices=choices),
        )
    match = _CODE_AND_NAME.fullmatch(text.strip())
    code = match[1] if match else ""
    if code.upper() in departments() and code != code.upper():
        place = labelled(code.upper())
        raise refusal(
            Code.LOWER_CASE_DEPARTMENT,
            tr("has a lower-case code"),
            tr("write `{place}`", place=place),
        )
    if code not in departments():
        raise refusal(Code.UNKNOWN_DEPARTMENT, tr("is no département"), _nearest_department(text))
    reading = read_department(text)
    if reading.code != code or not reading.label_agrees:
        raise refusal(
            Code.DEPARTMENT_LABEL_DISAGREES, *_disagreement(code, (match and match[2]) or "")
        )
    return code


def _range(text: str) -> tuple[str, str] | None:
    """What is wrong with a text that goes from one département to another; None if it does not."""
    found = _RANGE.fullmatch(text)
    first, last = found.groups() if found else ("", "")
    codes = list(departments())
    if first not in codes or last not in codes or codes.index(first) >= codes.index(last):
        return None
    between = codes[codes.index(first) : codes.index(last) + 1]
    message = tr("is a range, which cannot be written here")
    if len(between) > _LONGEST_RANGE:
        return message, tr("write a list of all that are meant")
    choices = ", ".join(f'"{labelled(code)}"' for code in between)
    return message, tr("write a list: [{choices}]", choices=choices)


def _several_departments(text: str) -> list[str]:
    """The codes of the départements that stand in one text one after another."""
    parts = SEPARATORS.split(text)
    if len(parts) == 1:
        parts = _BEFORE_CODE.split(text)
    codes = [read_department(part.strip(" -()[]")).code for part in parts if part.strip()]
    return list(dict.fromkeys(code for code in codes if code))


def _nearest_department(text: str) -> str | None:
    if (code := read_department(text).code) is not None:
        return tr("did you mean `{choice}`?", choice=labelled(code))
    if re.match(rf"{_CORSICA}(?![0-9])|corse$", text.strip(), re.IGNORECASE):
        return tr(
            "write {choices}",
            choices=_either(labelled(each) for each in ("2A", "2B")),
        )
    code = _code_in(text) or _code_named(_LEADING_CODE.sub("", text))
    return code and tr("did you mean `{choice}`?", choice=labelled(code))


def _code_in(text: str) -> str | None:
    """The only code of a département in a text, or the text without its dashes and blanks."""
    bare = _DASH.sub("", text).upper()
    codes = {bare} if bare in departments() else {each.upper() for each in _CODE.findall(text)}
    known = codes & set(departments())
    return known.pop() if len(known) == 1 else None


def _code_named(text: str) -> str | None:
    """The code of the département whose name is most like a text."""
    by_name = {place.name: code for code, place in departments().items()}
    name = nearest(text, list(by_name))
    return by_name[name] if name else None


def _disagreement(code: str, label: str) -> tuple[str, str]:
    name = departments()[code].name
    if normalise(label).startswith(f"{normalise(name)} "):
        message = tr("says more than {place}", place=labelled(code))
        return message, tr("write `{place}` alone", place=labelled(code))
    other = read_department(label).code or _code_named(label)
    message = tr("has code and name of two places: {code} is {name}", code=code, name=name)
    if other in {None, code}:
        message, other = tr("has another name than {place}", place=labelled(code)), None
    choices = [labelled(code), *([labelled(other)] if other else [])]
    return message, tr("write {choices}", choices=_either(choices))


def _either(choices: Iterable[str]) -> str:
    return joined((f"`{each}`" for each in choices), tr(" or "))


def _region(text: str) -> str:
    names = {normalise(region.name): region.name for region in regions().values()}
    found = names.get(normalise(text))
    if found is None:
        several = [names.get(normalise(part)) for part in SEPARATORS.split(text)]
        if len(several) > 1 and all(several):
            choices = ", ".join(f'"{name}"' for name in several)
            raise refusal(
                Code.WRONG_VALUE,
                tr("names several regions in one text"),
                tr("write a list: [{choices}]", choices=choices),
            )
        hint = did_you_mean(text, list(names.values()))
        raise refusal(Code.UNKNOWN_REGION, tr("is no region"), hint)
    return found


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    if not line:
        raise refusal(Code.EMPTY_VALUE, tr("is empty"))
    return line


@dataclass(frozen=True, slots=True)
class _Pattern:
    """The pattern of a text, for the JSON Schema; `_check` is what refuses."""

    pattern: str

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(core_schema), "pattern": f"^({self.pattern})$"}


def _check(pattern: str, what: str, mend: Callable[[str], str] = str) -> AfterValidator:
    """Refuses what does not match, and proposes what `mend` makes of it when that does."""

    def check(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            mended = mend(text)
            matches = re.fullmatch(pattern, mended) is not None
            proposal = tr("did you mean `{choice}`?", choice=mended) if matches else None
            raise refusal(Code.WRONG_VALUE, tr("is not {what}", what=tr(what)), proposal)
        return text

    return AfterValidator(check)


def slug(text: str) -> str:
    """A text as a code: small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", normalise(text)).strip("-")


def unit_code(text: str) -> str:
    """`ud 075`, `75`, `UDO75` and `UD-75` as the code of a unit: `UD075`."""
    joined = re.sub(r"[\s_.]", "", text.upper())
    found = _LIKE_UNIT.fullmatch(joined)
    place = found[1].replace("O", "0").lstrip("0").zfill(2) if found else ""
    return f"UD{place.zfill(3)}" if place in departments() else joined


def _article(text: str) -> str:
    """`art. R. 5221-16` as `R5221-16`."""
    found = re.findall(r"([LRD])[. *]*([0-9]+(?:-[0-9]+)*)", text.upper())
    return "".join(found[0]) if len(found) == 1 else text


def _clock_time(text: str) -> str:
    """`8h30`, `8:30` and `8 h` as `08:30` and `08:00`."""
    found = re.fullmatch(r"([0-9]{1,2})\s*[hH:.]\s*([0-9]{2})?", text.strip())
    return f"{found[1].zfill(2)}:{found[2] or '00'}" if found else text


_LIKE_UNIT = re.compile(r"(?:UD-?)?([O0]*[0-9][0-9ABO]?[0-9]?)")
_UNIT = r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)*"
_SLUG = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
_CLOCK_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_ARTICLE = r"[LRD][0-9]+(-[0-9]+)*"

Text = Annotated[str, StringConstraints(max_length=500), AfterValidator(_one_line)]
UnitCode = Annotated[
    str,
    StringConstraints(max_length=32),
    _check(_UNIT, mark("a unit's code, such as `UD075`: capitals and digits"), unit_code),
    _Pattern(_UNIT),
]
Slug = Annotated[
    str,
    StringConstraints(max_length=64),
    _check(_SLUG, mark("a code: small letters, digits and hyphens"), slug),
    _Pattern(_SLUG),
]
Target = Annotated[
    str,
    StringConstraints(max_length=32),
    _check(f"{DEPARTMENT_UNIT}|{_UNIT}", mark("a unit's code or `department-unit`"), str.upper),
    _Pattern(f"{DEPARTMENT_UNIT}|{_UNIT}"),
]
Article = Annotated[
    str,
    _check(_ARTICLE, mark("an article of the Code du travail, such as `R5221-15`"), _article),
    _Pattern(_ARTICLE),
]
ClockTime = Annotated[
    str,
    StringConstraints(max_length=8),
    _check(_CLOCK_TIME, mark('a time of the day in quotes, such as "08:30"'), _clock_time),
    _Pattern(_CLOCK_TIME),
]
ProcedureId = Annotated[int, Field(gt=0, le=_LARGEST_ID)]
Department = Annotated[
    str,
    AfterValidator(_department),
    WithJsonSchema(
        {
            "type": "string",
            "description": 'Code et nom (`75 - Paris`), ou le code entre guillemets ("75").',
            "enum": [*map(labelled, departments()), *departments()],
        }
    ),
]
Region = Annotated[
    str,
    AfterValidator(_region),
    WithJsonSchema({"type": "string", "enum": [region.name for region in regions().values()]}),
]
