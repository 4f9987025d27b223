"""Notices to write mails of: ordinary ones, and ones with any text in every text field."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from html.parser import HTMLParser
from typing import Any

from hypothesis import strategies as st

from connectors.mail.envelope import Envelope
from connectors.mail.message import compose
from connectors.notice import Notice, Office
from routing.assignment import Event
from routing.facts import Reason

SENDER = "Work In France <ne-pas-repondre@wif.example>"
RECIPIENT = "moe@ud75.example"
AT = datetime(2018, 9, 3, 7, 0, tzinfo=UTC)

FILED = Notice(
    event=Event.FILED,
    procedure=3272,
    number=1234567,
    unit="UD075",
    unit_name="Unité départementale de Paris",
    permit_type="apprentissage",
    permit_label="Contrat d’apprentissage",
    department="75",
    department_name="Paris",
    filed_at=datetime(2018, 9, 1, 12, 3, tzinfo=UTC),
    rule_why="Le département du titre de séjour désigne l’unité compétente (R5221-15).",
    reasons=(Reason.RESIDENCE_DIFFERS_FROM_FORM,),
    routed=True,
    counterpart=None,
    dossier_url="https://tps.example/procedures/3272/dossiers/1234567",
    key="3272/1234567/filed/UD075/email/0",
)
OTHER_OFFICE = Office("UD093", "Unité départementale de Seine-Saint-Denis")


def notice(**changes: Any) -> Notice:  # noqa: ANN401
    """An ordinary notice, but for what is given."""
    return replace(FILED, **changes)


def mail(**changes: Any) -> Envelope:  # noqa: ANN401
    """The mail of an ordinary notice, but for what is given."""
    return compose(notice(**changes), sender=SENDER, recipient=RECIPIENT, at=AT)


def parsed(envelope: Envelope) -> EmailMessage:
    """The message as a mail reader gets it."""
    message = message_from_bytes(envelope.content, policy=SMTP)
    assert isinstance(message, EmailMessage)
    return message


any_text = st.one_of(
    st.text(st.characters(), max_size=200),
    st.lists(
        st.sampled_from(
            [
                "\r\n",
                "\n",
                "\r",
                "Bcc: x@y.example",
                "\u202e",
                "\u2066",
                "\u200b",
                "\u2028",
                "\x85",
                "\x00",
                "\ud800",
                "=?utf-8?q?=0D=0ABcc:x?=",
                "=?",
                "?=",
                ",",
                ";",
                '"',
                "<",
                ">",
                "@",
                "\\",
                "é",
                "e\u0301",
                "’",
                " ",
                "\u00a0",
                "\t",
                "{{ content }}",
                "<script>",
                "&amp;",
                "漢字",
                "a" * 300,
                "😀",
                "é" * 90,
                ".",
                "mot ",
            ]
        ),
        max_size=12,
    ).map("".join),
)
"""Any text, and above all texts that would hurt a header, a template or a reader."""

any_notice = st.builds(
    Notice,
    event=st.sampled_from(Event),
    procedure=st.integers(1, 10**6),
    number=st.integers(1, 10**10),
    unit=any_text,
    unit_name=any_text,
    permit_type=st.none() | any_text,
    permit_label=st.none() | any_text,
    department=st.none() | any_text,
    department_name=st.none() | any_text,
    filed_at=st.datetimes(
        datetime(2000, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
        datetime(2100, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
    rule_why=st.none() | any_text,
    reasons=st.lists(st.sampled_from(Reason), unique=True, max_size=5).map(tuple),
    routed=st.booleans(),
    counterpart=st.none() | st.builds(Office, any_text, any_text),
    dossier_url=any_text | any_text.map("https://tps.example/{}".format),
    key=any_text,
)


def body(message: Envelope, kind: str) -> str:
    part = parsed(message).get_body((kind,))
    assert part is not None
    return str(part.get_content())


class Words(HTMLParser):
    """The text that an HTML page shows, the elements it is made of, and its links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())
