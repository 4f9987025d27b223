"""The two bodies of a mail: the same words in both, whoever reads them."""

import re
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, meta, nodes

from connectors.mail.content import Content
from connectors.mail.message import compose, compose_trial
from connectors.mail.render import PAGE_ENVIRONMENT, TEXT_ENVIRONMENT, source
from connectors.mail.sanitise import one_line
from connectors.notice import Message, Notice, Office, Trial
from routing.assignment import Event
from routing.facts import Reason
from tests.connectors.mail.samples import (
    AT,
    FILED,
    RECIPIENT,
    SENDER,
    Words,
    any_notice,
    body,
    mail,
)


@given(any_notice)
def test_both_parts_show_the_same_words_whatever_they_are(told: Notice) -> None:
    message = compose(told, sender=SENDER, recipient=RECIPIENT, at=AT)
    plain, page = body(message, "plain"), Words(body(message, "html"))
    unit = one_line(told.unit, longest=80)

    assert str(told.number) in plain
    assert str(told.number) in page.text
    assert unit in " ".join(plain.split())
    assert unit in page.text
    assert "script" not in page.tags
    assert len(page.links) <= 1
    assert all(link.startswith(("https://", "http://")) for link in page.links)


LONG_ADDRESS = f"https://www.legifrance.example/codes/article_lc/{'LEGIARTI000043372029' * 3}"


sentences = st.lists(
    st.sampled_from(
        [
            *("Direction", "départementale", "de", "l’emploi,", "du", "travail", "et", "à"),
            *("Saint-Pierre-et-Miquelon", "n°\u00a012", "solidarités", "–", LONG_ADDRESS),
        ]
    ),
    min_size=1,
    max_size=40,
).map(" ".join)


wordy_notice = st.builds(
    replace,
    st.just(FILED),
    event=st.sampled_from(Event),
    unit_name=sentences,
    permit_label=st.none() | sentences,
    department_name=st.none() | sentences,
    rule_why=st.none() | sentences,
    reasons=st.lists(st.sampled_from(Reason), unique=True, max_size=4).map(tuple),
    routed=st.booleans(),
    counterpart=st.none() | st.builds(Office, st.just("UD093"), sentences),
    form_name=st.none() | sentences,
    moved_why=st.none() | sentences,
    contact=st.none() | sentences,
)


wordy_message = st.one_of(
    wordy_notice,
    st.builds(
        replace,
        wordy_notice,
        event=st.sampled_from([Event.DIGEST, Event.LATE]),
        carried=st.lists(wordy_notice, min_size=1, max_size=3).map(tuple),
    ),
    st.builds(
        Trial,
        unit=st.just("UD075"),
        unit_name=sentences,
        sent_at=st.just(AT),
        key=st.just("trial"),
        contact=st.none() | sentences,
    ),
)


@given(wordy_message)
def test_plain_text_has_72_columns_however_long_names_and_sentences_are(told: Message) -> None:
    if isinstance(told, Trial):
        written = compose_trial(told, sender=SENDER, recipient=RECIPIENT, at=AT)
    else:
        written = compose(told, sender=SENDER, recipient=RECIPIENT, at=AT)
    text = body(written, "plain")

    long = [line for line in text.splitlines() if len(line) > 72]
    assert [line for line in long if not re.fullmatch(r" *https://\S+", line)] == []


def test_the_page_is_accessible_and_loads_nothing() -> None:
    page = body(mail(), "html")
    found = Words(page)

    assert '<html lang="fr"' in page
    assert not found.tags & {"img", "script", "link", "iframe"}
    assert "url(" not in page
    assert "@import" not in page
    assert found.links == ["https://tps.example/procedures/3272/dossiers/1234567"]
    assert {"h1", "th", "caption"} <= found.tags
    assert "style=" in page


@pytest.mark.parametrize(
    ("name", "environment"), [("notice.txt", TEXT_ENVIRONMENT), ("notice.html", PAGE_ENVIRONMENT)]
)
def test_a_template_sees_the_content_and_nothing_else(name: str, environment: Environment) -> None:
    tree = environment.parse(source(name))
    of_content = {found.attr for found in tree.find_all(nodes.Getattr)}

    assert meta.find_undeclared_variables(tree) == {"content"}
    assert of_content <= {field.name for field in fields(Content)}
