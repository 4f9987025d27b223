"""Mailboxes: well formed, the unit's own, a service's and not a person's.

No address is repeated in a message: if it is a person's, it is personal data.
"""

import re
from collections.abc import Iterator

from config.checks.units import overlap
from config.entries import ChannelEntry, UnitEntry
from config.mistakes import Code, Mistake
from config.reader import Configuration, Placed
from config.values import labelled
from routing.territory import departments, read_department

_ADDRESS = re.compile(
    r"[A-Za-z0-9_%+-]+(\.[A-Za-z0-9_%+-]+)*@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}"
)
_LONGEST_LOCAL_PART = 64
_PERSON = re.compile(r"[a-z]+(-[a-z]+)*[._][a-z]{2,}(-[a-z]+)*")
_UNIT = re.compile(r"(?:^|[^a-z])(?:ud|dd|ddets|ddetspp)[-_.]?0?([0-9]{2,3}|2[ab])(?![0-9a-z])")
_PLACEHOLDER = re.compile(r"(.*\.)?(example|test|invalid|localhost|example\.(com|org|net|fr))")

_SERVICE_WORDS = frozenset(
    {
        "accueil",
        "administration",
        "apt",
        "autorisation",
        "autorisations",
        "boite",
        "bureau",
        "cellule",
        "centre",
        "contact",
        "courrier",
        "dd",
        "ddets",
        "ddetspp",
        "deets",
        "departement",
        "departementale",
        "dieccte",
        "direccte",
        "direction",
        "dreets",
        "emploi",
        "etranger",
        "etrangere",
        "etrangers",
        "main",
        "maindoeuvre",
        "mission",
        "moe",
        "national",
        "nationale",
        "oeuvre",
        "orientation",
        "plateforme",
        "pole",
        "prefecture",
        "regional",
        "regionale",
        "secretariat",
        "section",
        "service",
        "services",
        "sg",
        "travail",
        "ud",
        "unite",
    }
)
"""Words that a service's mailbox is named with, and a person is not."""


def check(configuration: Configuration) -> Iterator[Mistake]:
    """Everything that is wrong with mailboxes."""
    seen: dict[str, list[tuple[UnitEntry, ChannelEntry]]] = {}
    for unit in configuration.units:
        for at, channel in enumerate(unit.entry.channels):
            path: list[str | int] = ["channels", at, "mail"]
            if (mistake := _one(unit, channel, path, configuration)) is not None:
                yield mistake
            others = seen.setdefault(channel.mail.casefold(), [])
            yield from _twice(unit, channel, path, others)
            others.append((unit.entry, channel))


def _one(
    unit: Placed[UnitEntry],
    channel: ChannelEntry,
    path: list[str | int],
    configuration: Configuration,
) -> Mistake | None:
    address = channel.mail.casefold()
    local, _, domain = address.rpartition("@")
    if _ADDRESS.fullmatch(channel.mail) is None or len(local) > _LONGEST_LOCAL_PART:
        message, proposal = "is no e-mail address", "write the address alone: moe.ud075@…"
        return unit.mistake(Code.MAILBOX_MALFORMED, path, message, proposal, secret=True)
    if not channel.functional and _looks_personal(local):
        message = "looks like a person's mailbox"
        proposal = "use the service's, or add `functional: true` when it is one"
        return unit.mistake(Code.MAILBOX_PERSONAL, path, message, proposal, secret=True)
    if configuration.production and _PLACEHOLDER.fullmatch(domain):
        message, proposal = "is a placeholder", "write the unit's mailbox"
        return unit.mistake(Code.MAILBOX_PLACEHOLDER, path, message, proposal, secret=True)
    other = _other_department(local, unit.entry)
    if other is not None and not channel.functional:
        message = f"is named after {labelled(other)}, which {unit.entry.code} does not serve"
        proposal = "correct it, or add `functional: true` when it is right"
        return unit.mistake(Code.MAILBOX_DISAGREES, path, message, proposal, secret=True)
    return None


def _looks_personal(local: str) -> bool:
    if _PERSON.fullmatch(local) is None:
        return False
    words = set(re.split(r"[._-]", local))
    return not words & _SERVICE_WORDS and read_department(local.replace(".", " ")).code is None


def _other_department(local: str, unit: UnitEntry) -> str | None:
    """The département that the mailbox is named after, when the unit does not serve it."""
    match = _UNIT.search(local)
    code = match[1].upper() if match else ""
    served = unit.departments
    return code if served and code in departments() and code not in served else None


def _twice(
    unit: Placed[UnitEntry],
    channel: ChannelEntry,
    path: list[str | int],
    others: list[tuple[UnitEntry, ChannelEntry]],
) -> Iterator[Mistake]:
    for other, its in others:
        if overlap(unit.entry, other) and not (channel.functional and its.functional):
            yield unit.mistake(
                Code.MAILBOX_TWICE,
                path,
                f"is the mailbox of {other.code} as well",
                "correct it, or add `functional: true` to both when they share it",
                secret=True,
            )
            return
