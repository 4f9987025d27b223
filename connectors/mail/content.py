"""A notice put into words: what the templates show, and nothing else."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlsplit

from connectors.mail.sanitise import one_line
from connectors.notice import Notice, Office, Trial
from connectors.wording import (
    ESCALATED,
    EVENTS,
    REASONS,
    UNKNOWN_DEPARTMENT,
    UNKNOWN_PERMIT,
    UNROUTED,
    Phrases,
)
from routing.assignment import Event
from routing.calendar import PARIS

_MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)
_LONGEST_LABEL = 80
_LONGEST_SENTENCE = 400
_LONGEST_URL = 900
"""A line of a mail holds 998 octets, and mail readers stop linking long before."""
_URL_SAFE = "!#$%&'()*+,/:;=?@[]~"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The words of one mail, clean and on single lines; both templates show the same ones.

    Attributes:
        subject: number, permit type and département included.
        heading: title.
        lead: what happened.
        card: title of the details.
        details: label and value of each line of the dossier's card.
        why: sentences on why it comes to this unit; may be empty.
        expected: what the reader is expected to do.
        link: address of the dossier, None when the configured one is no web address.
        contact: whom to ask; empty when nobody is named.
    """

    subject: str
    heading: str
    lead: str
    details: tuple[tuple[str, str], ...]
    why: tuple[str, ...]
    expected: str
    link: str | None
    contact: str
    card: str = "Le dossier"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A dossier in a digest; `link` is None when the configured one is no web address."""

    number: str
    event: str
    department: str
    filed: str
    age: str
    link: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestContent:
    """The words of one digest.

    Attributes:
        subject: how many dossiers.
        heading: title.
        lead: what the table shows.
        groups: a permit type and its dossiers, the oldest first.
        expected: what the reader is expected to do.
        contact: whom to ask; empty when nobody is named.
    """

    subject: str
    heading: str
    lead: str
    groups: tuple[tuple[str, tuple[Row, ...]], ...]
    expected: str
    contact: str


def write_digest(notice: Notice, at: datetime) -> DigestContent:
    """A digest in French: `notice` with what it carries, on the day of `at`."""
    phrases = EVENTS[notice.event]
    count = len(notice.carried)
    dossiers = f"{count} dossier" if count == 1 else f"{count} dossiers"
    by_type: dict[str, list[Row]] = defaultdict(list)
    for each in notice.carried:
        permit = _label(each.permit_label or each.permit_type) or UNKNOWN_PERMIT
        by_type[permit].append(_row(each, at))
    subject = f"{phrases.subject} : {dossiers} – {_office(Office(notice.unit, notice.unit_name))}"
    return DigestContent(
        subject=" ".join(filter(None, (_label(notice.prefix), subject))),
        heading=phrases.heading,
        lead=phrases.lead,
        groups=tuple((permit, tuple(rows)) for permit, rows in sorted(by_type.items())),
        expected=ESCALATED if _is_escalated(notice) else phrases.expected,
        contact=one_line(notice.contact or "", longest=_LONGEST_SENTENCE),
    )


def _is_escalated(notice: Notice) -> bool:
    """Whether these are reminders of what other units have."""
    return notice.event is Event.LATE and all(each.counterpart for each in notice.carried)


def _row(notice: Notice, at: datetime) -> Row:
    days = (at.astimezone(PARIS).date() - notice.filed_at.astimezone(PARIS).date()).days
    filed = notice.filed_at.astimezone(PARIS)
    return Row(
        number=f"{notice.number}",
        event=_object(notice),
        department=_department(notice),
        filed=f"{filed:%d/%m/%Y}",
        age="aujourd’hui" if days < 1 else f"{days} jour" if days == 1 else f"{days} jours",
        link=_link(notice.dossier_url),
    )


def _object(notice: Notice) -> str:
    """Why a dossier is in a digest, with the unit that has it where that is another one."""
    subject = _phrases(notice).subject
    if notice.counterpart is None or notice.event not in {Event.LATE, Event.INFORMED}:
        return subject
    return f"{subject} ({_label(notice.counterpart.code)})"


def write(notice: Notice) -> Content:
    """`notice` in French."""
    phrases = _phrases(notice)
    contact = one_line(notice.contact or "", longest=_LONGEST_SENTENCE)
    permit = _label(notice.permit_label or notice.permit_type) or UNKNOWN_PERMIT
    department = _department(notice)
    subject = f"{phrases.subject} n° {notice.number} – {permit} – {department}"
    return Content(
        subject=" ".join(filter(None, (_label(notice.prefix), subject))),
        heading=phrases.heading,
        lead=phrases.lead,
        details=_details(notice, phrases, permit, department),
        why=_why(notice),
        expected=phrases.expected.replace("{whom}", f" ({contact})" if contact else ""),
        link=_link(notice.dossier_url),
        contact=contact,
    )


def write_trial(trial: Trial) -> Content:
    """A trial in French."""
    unit = _office(Office(trial.unit, trial.unit_name))
    subject = f"Message d’essai – {unit}"
    return Content(
        subject=" ".join(filter(None, (_label(trial.prefix), subject))),
        heading="Message d’essai",
        lead="Ce message vérifie que les avis du service d’aiguillage vous parviennent. "
        "Il ne concerne aucun dossier.",
        card="Cet essai",
        details=(("Destinataire", unit),),
        why=(),
        expected="Aucune action n’est attendue de votre part.",
        link=None,
        contact=one_line(trial.contact or "", longest=_LONGEST_SENTENCE),
    )


def _phrases(notice: Notice) -> Phrases:
    """The phrases of the event, or those for the fallback unit."""
    arrives = notice.event in {Event.FILED, Event.REASSIGNED_TO}
    return UNROUTED if arrives and not notice.routed else EVENTS[notice.event]


def _details(
    notice: Notice, phrases: Phrases, permit: str, department: str
) -> tuple[tuple[str, str], ...]:
    card = [
        ("Dossier", f"n° {notice.number}"),
        ("Formulaire", _form(notice)),
        ("Type d’autorisation", permit),
        ("Département", department),
        ("Déposé le", _paris_time(notice)),
        ("Destinataire", _office(Office(notice.unit, notice.unit_name))),
    ]
    if notice.counterpart is not None:
        card.append((phrases.office, _office(notice.counterpart)))
    if notice.moved_why and notice.event in {Event.REASSIGNED_TO, Event.REASSIGNED_FROM}:
        card.append(("Motif", _label(notice.moved_why)))
    return tuple(card)


def _why(notice: Notice) -> tuple[str, ...]:
    """The rule's own sentence, then one for each reason."""
    rule = one_line(notice.rule_why or "", longest=_LONGEST_SENTENCE)
    reasons = dict.fromkeys(REASONS[reason] for reason in notice.reasons)
    return ((rule,) if rule else ()) + tuple(reasons)


def _paris_time(notice: Notice) -> str:
    at = notice.filed_at.astimezone(PARIS)
    day = "1er" if at.day == 1 else str(at.day)
    return f"{day} {_MONTHS[at.month - 1]} {at.year} à {at:%H\u00a0h\u00a0%M} (heure de Paris)"


def _department(notice: Notice) -> str:
    named = " – ".join(filter(None, (_label(notice.department), _label(notice.department_name))))
    return named or UNKNOWN_DEPARTMENT


def _form(notice: Notice) -> str:
    """The form's name with its number, by which TPS lists it."""
    name = _label(notice.form_name)
    return f"{name} (n°\u00a0{notice.procedure})" if name else f"n° {notice.procedure}"


def _office(office: Office) -> str:
    return " – ".join(filter(None, (_label(office.code), _label(office.name))))


def _label(text: str | None) -> str:
    return one_line(text or "", longest=_LONGEST_LABEL)


def _link(url: str) -> str | None:
    """`url` with everything unusual percent-encoded; None for anything but a web address."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not host or parts.username is not None:
        return None
    safe = quote(url, safe=_URL_SAFE, errors="replace")
    return safe if len(safe) <= _LONGEST_URL else None
