"""Nothing is kept, logged, sent or passed on that the register does not name."""

import inspect
import re
from dataclasses import fields

import pytest
from jinja2 import Environment, meta, nodes
from sqlalchemy import JSON, Boolean, Date, Integer, LargeBinary, String, Text

from config.logs import FIELDS
from connectors.mail.content import Content
from connectors.mail.render import PAGE_ENVIRONMENT, TEXT_ENVIRONMENT, source
from connectors.notice import Notice, Office
from routing.facts import Facts
from store.audit.lines import COLUMNS
from store.audit.log import AuditEntry
from store.base import Base, Codes, UtcDateTime
from store.models import AuditLine
from tasks.celery import app
from tests.privacy import register

KINDS = {
    "entier": (Integer,),
    "instant": (UtcDateTime,),
    "jour": (Date,),
    "oui/non": (Boolean,),
    "nombres": (JSON,),
    "code": (String,),
    "codes": (Codes, Text),
    "empreinte": (String, LargeBinary),
    "jeton": (String,),
    "curseur": (Text,),
    "texte d'administrateur": (Text,),
}
"""For each kind of content in the register, the types of column that can hold it."""

LONGEST_CODE = 64
PERSONAL = re.compile(
    r"nom|name|prenom|mail|phone|telephone|adress|birth|naissance|civilite|nationalit|passport"
    r"|siret|user|demandeur|usager|body|content|comment|message|motivation|postal|commune|text"
)
"""What a column that holds somebody's answers would be called."""


def test_the_register_names_every_table_and_column() -> None:
    kept = {table.name: set(table.columns.keys()) for table in Base.metadata.sorted_tables}
    assert {name: set(columns) for name, columns in register.tables().items()} == kept


@pytest.mark.parametrize("table", Base.metadata.sorted_tables, ids=lambda table: table.name)
def test_each_column_has_a_kind_that_it_can_hold_a_reason_and_a_duration(table: object) -> None:
    for name, (kind, reason, duration) in register.tables()[table.name].items():  # type: ignore[attr-defined]
        column = table.columns[name]  # type: ignore[attr-defined]
        assert isinstance(column.type, KINDS[kind]), name
        assert reason, name
        assert duration, name


def test_only_admins_write_texts_and_codes_are_too_short_for_more() -> None:
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            kind = register.tables()[table.name][column.name][0]
            if kind in {"code", "jeton"}:
                assert isinstance(column.type, String)
                assert (column.type.length or LONGEST_CODE + 1) <= LONGEST_CODE, (
                    f"{table.name}.{column.name}"
                )
            if type(column.type) is Text:
                assert kind in {"texte d'administrateur", "codes", "curseur"}, (
                    f"{table.name}.{column.name}"
                )


def test_no_column_is_called_as_personal_data_would_be() -> None:
    columns = {column.name for table in Base.metadata.sorted_tables for column in table.columns}
    assert [name for name in columns if PERSONAL.search(name)] == []


def test_the_register_names_every_field_of_the_logs() -> None:
    assert register.names("Journaux techniques") == list(FIELDS)


def test_the_register_names_every_task_and_its_arguments_are_numbers_or_a_kind_of_channel() -> None:
    app.loader.import_default_modules()
    ours = {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}
    signatures = {name: inspect.signature(task.run) for name, task in ours.items()}
    assert register.arguments() == {
        name: list(signature.parameters) for name, signature in signatures.items()
    }
    for signature in signatures.values():
        told = [each for each in signature.parameters.values() if each.name != "channel"]
        assert {each.annotation for each in told} <= {int}
        assert signature.return_annotation is None


def test_the_register_names_every_fact() -> None:
    assert register.names("Faits `Facts`") == [field.name for field in fields(Facts)]


def test_a_line_of_audit_and_an_export_have_the_columns_of_the_register() -> None:
    columns = list(register.tables()["audit_lines"])
    assert columns == list(COLUMNS) == list(AuditLine.__table__.columns.keys())
    # The number of a dossier comes in, and goes on as its keyed hash.
    assert {field.name for field in fields(AuditEntry)} - {"number"} <= set(columns)


def test_the_register_names_all_that_a_mail_can_say() -> None:
    assert register.names("Courriel : avis `Notice`") == [field.name for field in fields(Notice)]
    written = register.names("Courriel : variables des modèles `Content`")
    assert written == [field.name for field in fields(Content)]
    assert [field.name for field in fields(Office)] == ["code", "name"]


@pytest.mark.parametrize(
    ("name", "environment"),
    [("notice.txt", TEXT_ENVIRONMENT), ("notice.html", PAGE_ENVIRONMENT)],
)
def test_templates_use_fields_of_the_content_and_nothing_else(
    name: str, environment: Environment
) -> None:
    tree = environment.parse(source(name))
    assert meta.find_undeclared_variables(tree) == {"content"}
    assert list(meta.find_referenced_templates(tree)) == []
    used = {
        node.attr
        for node in tree.find_all(nodes.Getattr)
        if isinstance(node.node, nodes.Name) and node.node.name == "content"
    }
    assert used <= set(register.names("Courriel : variables des modèles `Content`"))
    assert not list(tree.find_all((nodes.Call, nodes.Getitem)))
