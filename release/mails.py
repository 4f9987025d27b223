"""The gallery of mails: one of every kind, as offices and those who run the service get them.

    python -m release.mails               # `make mails`: docs/mails/*.txt, *.html and README.md

A test says when it is old. `make pages` looks at the HTML in a browser and takes the pictures.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from connectors.alarm.mail import compose_alarm
from connectors.alarm.notice import Alarm
from connectors.alarm.seal_head import compose_seal_head
from connectors.mail.envelope import Envelope
from connectors.mail.message import compose, compose_trial
from connectors.notice import Notice, Office, Trial
from connectors.report_mail import Report, compose_report
from routing.assignment import Event
from routing.facts import Reason
from routing.incidents import IncidentKind

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "mails"
SENDER = "Work In France <ne-pas-repondre@wif.example>"
OPERATORS = "exploitation@wif.example"
CONTACT = "Cellule nationale, moe.orientation@direccte.example"
NOW = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
PARIS = Office("UD075", "Unité départementale de Paris")
BOBIGNY = Office("UD093", "Unité départementale de la Seine-Saint-Denis")
NATIONAL = Office("NATIONAL", "Cellule nationale d’orientation")
SHOWN = ("From", "To", "Subject", "Date", "Message-ID", "References", "List-Id")
PICTURES = ("phone-light", "phone-dark", "desktop-light", "desktop-dark")
PICTURED = ("nouveau-dossier", "recapitulatif")
"""Of these there are pictures: the others look like the first, reminders like the second."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One mail of the gallery: the name of its files, when it is sent, and itself."""

    name: str
    when: str
    mail: Envelope

    @property
    def html(self) -> str | None:
        """Its HTML, None for one that has none."""
        body = self.mail.message.get_body(("html",))
        return body.get_content() if isinstance(body, EmailMessage) else None

    @property
    def text(self) -> str:
        """What a reader shows of its header, and its plain text."""
        body = self.mail.message.get_body(("plain",))
        assert isinstance(body, EmailMessage)  # noqa: S101 - every mail has one
        shown = [
            f"{name}: {self.mail.message[name]}" for name in SHOWN if name in self.mail.message
        ]
        text = body.get_content().replace("\r\n", "\n")
        files = [f"[{part.get_filename()}]" for part in self.mail.message.iter_attachments()]
        return "\n".join([*shown, "", text.rstrip("\n"), *([""] if files else []), *files, ""])


def gallery() -> Iterator[Sample]:
    """Every kind of mail."""
    yield from _of_dossiers()
    yield from _of_units()
    yield from _of_operators()


def _of_dossiers() -> Iterator[Sample]:
    first = _notice(Event.FILED)
    yield _sample("nouveau-dossier", "un dossier est déposé", first)
    lost = replace(
        first,
        unit=NATIONAL.code,
        unit_name=NATIONAL.name,
        routed=False,
        department=None,
        department_name=None,
        reasons=(Reason.DEPARTMENT_ABROAD,),
        rule_why=None,
    )
    yield _sample("a-orienter", "aucune règle ne place le dossier ; toujours tout de suite", lost)
    moved: dict[str, Any] = {
        "moved_why": "L’étudiant a déménagé",
        "reasons": (Reason.PINNED,),
        "rule_why": None,
    }
    arrives = replace(
        first,
        event=Event.REASSIGNED_TO,
        unit=BOBIGNY.code,
        unit_name=BOBIGNY.name,
        counterpart=PARIS,
        **moved,
    )
    yield _sample("reaffecte-nouveau-service", "le dossier arrive d’un autre service", arrives)
    leaves = replace(first, event=Event.REASSIGNED_FROM, counterpart=BOBIGNY, **moved)
    yield _sample("reaffecte-ancien-service", "le dossier part à un autre service", leaves)
    told = replace(
        first,
        event=Event.INFORMED,
        unit=BOBIGNY.code,
        unit_name=BOBIGNY.name,
        counterpart=PARIS,
    )
    yield _sample("pour-information", "une règle informe un autre service (`inform`)", told)


def _of_units() -> Iterator[Sample]:
    several = tuple(_several())
    digest = _grouped(Event.DIGEST, several, PARIS)
    yield _sample("recapitulatif", "aux heures choisies par l’unité (`digest`)", digest)
    old = NOW - timedelta(days=7)
    late = tuple(
        replace(each, event=Event.LATE, counterpart=None, filed_at=min(each.filed_at, old))
        for each in several[:3]
    )
    reminder = _grouped(Event.LATE, late, PARIS)
    yield _sample("relance", "chaque jour ouvré, après `WIF_REMIND_AFTER`", reminder)
    elsewhere = tuple(replace(each, counterpart=PARIS) for each in late[:2])
    escalated = _grouped(Event.LATE, elsewhere, NATIONAL)
    yield _sample("relance-nationale", "de même, après `WIF_ESCALATE_AFTER`", escalated)
    trial = Trial(
        unit=PARIS.code,
        unit_name=PARIS.name,
        sent_at=NOW,
        key="gallery.trial",
        contact=CONTACT,
    )
    mail = compose_trial(trial, sender=SENDER, recipient=_mailbox(PARIS.code), at=NOW)
    yield Sample("essai", "`wif channels test UD075`", mail)
    report = Report(
        unit=PARIS.code,
        month="octobre 2026",
        file="rapport-2026-10-UD075.xlsx",
        content=b"",
        about="Ce sont les chiffres de votre unité, en entier : ils ne sont envoyés qu’à elle.",
    )
    mail = compose_report(
        report, prefix="[WIF]", sender=SENDER, recipient=_mailbox(PARIS.code), at=NOW
    )
    yield Sample("rapport-mensuel", "le premier jour ouvré (`WIF_MONTHLY_REPORTS`)", mail)


def _of_operators() -> Iterator[Sample]:
    alarm = Alarm(
        key="gallery.alarm",
        kind=IncidentKind.DEAD_LETTERS,
        subject="mail-refused",
        count=7,
        since=NOW - timedelta(hours=3),
        opened_at=NOW - timedelta(minutes=2),
    )
    for name, when, told in (
        ("alarme", "un incident commence", alarm),
        ("alarme-finie", "il est fini", replace(alarm, closed_at=NOW, since=None)),
    ):
        mail = compose_alarm(told, sender=SENDER, recipient=OPERATORS, at=NOW)
        yield Sample(name, when, mail)
    seal = compose_seal_head(
        128,
        "5f" * 32,
        first_key="a7" * 32,
        sealed_at="2026-11-23T07:00:00",
        sender=SENDER,
        recipient=OPERATORS,
        at=NOW,
    )
    yield Sample("sceau", "chaque jour : le dernier sceau du journal d’audit", seal)


def _notice(event: Event, number: int = 1_204_611, **changes: Any) -> Notice:  # noqa: ANN401
    plain = Notice(
        event=event,
        procedure=13760,
        number=number,
        unit=PARIS.code,
        unit_name=PARIS.name,
        permit_type="apprentissage",
        permit_label="Contrat d’apprentissage",
        department="75",
        department_name="Paris",
        filed_at=NOW - timedelta(minutes=11),
        rule_why="L’autorisation de travail d’un étudiant relève du département qui figure sur son "
        "titre de séjour, quelle que soit l’adresse de l’employeur.",
        reasons=(Reason.RESIDENCE_DIFFERS_FROM_FORM,),
        routed=True,
        counterpart=None,
        dossier_url=f"https://tps.example/procedures/13760/dossiers/{number}",
        key=f"gallery.{event}.{number}",
        form_name="Autorisation de travail d’un étudiant",
        contact=CONTACT,
        decided_at=NOW,
    )
    return replace(plain, **changes)


def _several() -> Iterator[Notice]:
    """What a digest tells of: new, moved and for information, of two permit types."""
    doctorate: dict[str, Any] = {"permit_type": "doctorat", "permit_label": "Doctorat"}
    bobigny: dict[str, Any] = {"department": "93", "department_name": "Seine-Saint-Denis"}
    days = (9, 8, 1, 0)
    filed = [NOW - timedelta(days=each, hours=2) for each in days]
    yield _notice(Event.FILED, 1_204_377, filed_at=filed[0])
    yield _notice(Event.REASSIGNED_TO, 1_204_405, filed_at=filed[1], counterpart=BOBIGNY)
    yield _notice(Event.FILED, 1_204_598, filed_at=filed[2], **doctorate)
    yield _notice(
        Event.INFORMED, 1_204_611, filed_at=filed[3], counterpart=BOBIGNY, **doctorate, **bobigny
    )


def _grouped(event: Event, carried: tuple[Notice, ...], unit: Office) -> Notice:
    return replace(
        carried[0],
        event=event,
        procedure=0,
        number=0,
        unit=unit.code,
        unit_name=unit.name,
        key=f"gallery.{event}.{unit.code}",
        counterpart=None,
        carried=carried,
    )


def _mailbox(unit: str) -> str:
    return f"moe.{unit.lower()}@direccte.example"


def _sample(name: str, when: str, notice: Notice) -> Sample:
    recipient = _mailbox(notice.unit)
    return Sample(name, when, compose(notice, sender=SENDER, recipient=recipient, at=NOW))


def files() -> Iterator[tuple[str, str]]:
    """The name and the text of each file of the gallery but its pictures."""
    samples = list(gallery())
    for sample in samples:
        yield f"{sample.name}.txt", sample.text
        if sample.html is not None:
            yield f"{sample.name}.html", sample.html
    yield "README.md", _index(samples)


def _index(samples: list[Sample]) -> str:
    rows = [
        f"| {sample.mail.message['Subject']} | {sample.when} | [texte]({sample.name}.txt)"
        + (f", [HTML]({sample.name}.html)" if sample.html else "")
        + " |"
        for sample in samples
    ]
    pictures = [
        f"![{name}, {picture}]({name}-{picture}.png)" for name in PICTURED for picture in PICTURES
    ]
    return "\n".join(
        (
            "# Les courriels du service",
            "",
            "Un exemple de chaque genre, fait par `make mails` ; les dossiers n’existent pas. Les",
            "images viennent de `make pages`. Avec un certificat (`WIF_SMIME_CERTIFICATE`), chacun",
            "est signé et porte une pièce jointe `smime.p7s`.",
            "",
            "| objet | quand | à lire |",
            "|---|---|---|",
            *rows,
            "",
            *pictures,
            "",
        )
    )


def main() -> None:
    """Write them all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in files():
        (FOLDER / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"docs/mails/{name}\n")


if __name__ == "__main__":
    main()
