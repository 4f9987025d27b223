"""Channels whose addresses are mailboxes: the unit's own, a service's and not a person's.

No address is repeated in a message: if it is a person's, it is personal data.
"""

import re
from collections import Counter
from collections.abc import Iterator

from rapidfuzz.distance import OSA

from config.checks.channels import PLACEHOLDER, ChannelPlace, places
from config.diagnostics import Code, Diagnostic
from config.loader import Configuration
from config.messages import tr, trn
from config.schema import UnitEntry
from config.values import SEPARATORS, labelled
from connectors.channel import AddressForm
from routing.mailbox import Mailbox
from routing.territory import departments, read_department

_PERSON = re.compile(r"[a-z]+(-[a-z]+)*[._][a-z]{2,}(-[a-z]+)*")
_UNIT = re.compile(r"(?:^|[^a-z])(?:ud|dd|ddets|ddetspp)[-_.]?0?([0-9]{2,3}|2[ab])(?![0-9a-z])")

_UNUSUAL = re.compile(r"[^A-Za-z0-9._'-]")
"""What the standard allows before the @, and nobody means."""

COMMON = 3
"""Mailboxes from which on a domain is what is usual here."""

SHORTEST_NAME = 5
"""Letters from which on one word may be an initial and a name, as in `jdupont`."""

PUBLIC_PROVIDERS = frozenset(
    {
        *("gmail.com", "googlemail.com", "outlook.com", "outlook.fr", "hotmail.com", "hotmail.fr"),
        *("live.fr", "live.com", "msn.com", "yahoo.com", "yahoo.fr", "ymail.com", "icloud.com"),
        *("me.com", "orange.fr", "wanadoo.fr", "laposte.net", "free.fr", "sfr.fr", "neuf.fr"),
        *("bbox.fr", "numericable.fr", "proton.me", "protonmail.com", "gmx.fr", "gmx.com"),
        *("aol.com", "mailo.com", "club-internet.fr", "aliceadsl.fr"),
    }
)
"""Where people have mailboxes of their own, and services have none."""

_SERVICE_STEMS = (
    *("ud", "dd", "moe", "direccte", "dreets", "ddets", "deets", "travail", "etranger", "emploi"),
    *("service", "contact", "accueil", "autorisation", "bureau", "courrier", "secret", "national"),
    *("prefect", "region", "depart", "cellule", "pole", "mission", "plateforme", "orientation"),
)
"""What stands somewhere in the one word of a service's mailbox."""

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


def check(configuration: Configuration) -> Iterator[Diagnostic]:
    """What is wrong with single mailboxes, and with their domains."""
    for place in places(configuration, AddressForm.MAILBOX):
        if (mistake := _one(place, configuration)) is not None:
            yield mistake
    unlike = _domains_unlike(configuration)
    if configuration.production:
        yield from unlike
    else:
        configuration.warnings += unlike


def _one(place: ChannelPlace, configuration: Configuration) -> Diagnostic | None:
    unit, shared = place.unit.entry, place.entry.shared
    local, _, domain = place.entry.address.casefold().rpartition("@")
    if (why := _malformed(place.entry.address)) is not None:
        message, proposal = (
            tr("is no e-mail address: {why}", why=why),
            tr("write it alone: moe.ud075@…"),
        )
        return place.mistake(Code.MAILBOX_MALFORMED, message, proposal)
    if not shared and _looks_personal(local, domain):
        message = tr("looks like a person's mailbox")
        proposal = tr("use the service's, or add `functional: true` when it is one")
        return place.mistake(Code.MAILBOX_PERSONAL, message, proposal)
    if configuration.production and PLACEHOLDER.fullmatch(domain):
        message, proposal = tr("is a placeholder"), tr("write the unit's mailbox")
        return place.mistake(Code.MAILBOX_PLACEHOLDER, message, proposal)
    other = _other_department(local, unit)
    if other is not None and not shared:
        message = tr(
            "is named after {place}, which {code} does not serve",
            place=labelled(other),
            code=unit.code,
        )
        proposal = tr("correct it, or add `functional: true` when it is right")
        return place.mistake(Code.MAILBOX_DISAGREES, message, proposal)
    return None


def _malformed(text: str) -> str | None:
    """Why a text is no address, without the text; None when it is one."""
    local, at, domain = text.rpartition("@")
    if not at:
        return tr("there is no @")
    whys = {
        tr("there is more than one @ in a row"): "@@" in text,
        tr("there is more than one; several belong behind one shared address"): text.count("@") > 1,
        tr("a comma or another separator stands in it"): SEPARATORS.search(text) is not None,
        tr("leave out `mailto:`"): text.casefold().startswith("mailto:"),
        tr("something stands beside it"): "<" in text,
        tr("a blank stands in it"): any(map(str.isspace, text)),
        tr("nothing stands before the @"): not local,
        tr("nothing stands after the @"): not domain,
        tr("its domain has no dot"): "." not in domain.strip("."),
        tr("it has accents"): not text.isascii(),
        tr("it begins or ends with a dot"): text != text.strip(".") or local.endswith("."),
        tr("two dots follow each other"): ".." in text,
        tr("the mailbox of a service holds letters, digits and . - _ alone"): (
            _UNUSUAL.search(local) is not None
        ),
    }
    if (why := next((why for why, holds in whys.items() if holds), None)) is not None:
        return why
    try:
        Mailbox.parse(text)
    except ValueError:
        return tr("a character, or the place of a dot, is not allowed")
    return None


def _domains_unlike(configuration: Configuration) -> Iterator[Diagnostic]:
    """A domain that is one letter off the one that all the others have."""
    found = [
        (place, place.entry.address.casefold().rpartition("@")[2])
        for place in places(configuration, AddressForm.MAILBOX)
        if _malformed(place.entry.address) is None
    ]
    counts = Counter(domain for _, domain in found)
    common = [domain for domain, count in counts.items() if count >= COMMON]
    for place, domain in found:
        if counts[domain] > 1:
            continue
        near = next((each for each in common if OSA.distance(domain, each) == 1), None)
        if near is not None:
            yield place.mistake(
                Code.MAILBOX_DOMAIN_UNLIKE,
                trn(
                    "has a domain one letter off that of {n} other",
                    "has a domain one letter off that of {n} others",
                    counts[near],
                ),
                tr("did you mean `@{near}`?", near=near),
            )


def _looks_personal(local: str, domain: str) -> bool:
    if domain in PUBLIC_PROVIDERS:
        return True
    bare = local.rstrip("0123456789")
    words = set(re.split(r"[._-]", local))
    if bare.isalpha() and len(bare) >= SHORTEST_NAME and not words & _SERVICE_WORDS:
        return not any(word in bare for word in _SERVICE_STEMS)
    if _PERSON.fullmatch(bare) is None:
        return False
    return not words & _SERVICE_WORDS and read_department(local.replace(".", " ")).code is None


def _other_department(local: str, unit: UnitEntry) -> str | None:
    """The département that the mailbox is named after, when the unit does not serve it."""
    match = _UNIT.search(local)
    code = match[1].upper() if match else ""
    served = unit.departments
    return code if served and code in departments() and code not in served else None
