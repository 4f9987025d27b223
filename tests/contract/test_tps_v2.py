"""What is asked of TPS v2, held against the published schema: nobody's personal data."""

from collections.abc import Iterator

import pytest
from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    NonNullTypeNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    build_schema,
    parse,
    validate,
    visit,
)

from connectors.tps.v2 import documents
from connectors.tps.v2.documents import Document
from simulator.v2.schema import OWN
from tests.contract.tps_v2_fields import ARGUMENTS, Class, class_of
from tests.fixtures.tps_schemas import V2_SCHEMA, published

DOCUMENTS = pytest.mark.parametrize("document", documents.ALL, ids=lambda each: each.operation)


@pytest.fixture(params=["own", "published"], scope="module")
def schema(request: pytest.FixtureRequest) -> GraphQLSchema:
    path = OWN if request.param == "own" else published(V2_SCHEMA)
    return build_schema(path.read_text(encoding="utf-8"))


class Selection(Visitor):
    """What a document asks for.

    Attributes:
        fields: each as its type and its name.
        arguments: each as `Type.field(argument)`.
        champs: the nodes of `Dossier.champs`.
        nullable: variables that may be null.
    """

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self._info = info
        self.fields: set[tuple[str, str]] = set()
        self.arguments: set[str] = set()
        self.champs: list[FieldNode] = []
        self.nullable: set[str] = set()

    def enter_field(self, node: FieldNode, *_: object) -> None:
        parent = self._info.get_parent_type()
        assert parent is not None
        if node.name.value != "__typename":
            self.fields.add((parent.name, node.name.value))
        if node.name.value == "champs":
            self.champs.append(node)

    def enter_argument(self, node: ArgumentNode, *_: object) -> None:
        parent, field = self._info.get_parent_type(), self._info.get_field_def()
        if self._info.get_directive() is None and parent is not None and field is not None:
            name = next(name for name, each in parent.fields.items() if each is field)  # type: ignore[union-attr]
            self.arguments.add(f"{parent.name}.{name}({node.name.value})")

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: object) -> None:
        if not isinstance(node.type, NonNullTypeNode):
            self.nullable.add(node.variable.name.value)


def selection(schema: GraphQLSchema, text: str) -> Selection:
    info = TypeInfo(schema)
    found = Selection(info)
    document: DocumentNode = parse(text)
    visit(document, TypeInfoVisitor(info, found))
    return found


def personal(found: Selection) -> list[tuple[str, str]]:
    """What is selected and is not on the list of what may be."""
    return sorted(each for each in found.fields if class_of(*each) is not Class.SELECTED)


@DOCUMENTS
def test_every_document_is_one_of_the_schema(schema: GraphQLSchema, document: Document) -> None:
    assert validate(schema, parse(document.text)) == []


@DOCUMENTS
def test_nothing_is_selected_that_may_carry_a_person(
    schema: GraphQLSchema, document: Document
) -> None:
    found = selection(schema, document.text)
    assert personal(found) == []
    assert found.arguments <= ARGUMENTS


@pytest.mark.parametrize(
    "more",
    ["usager { email }", "demandeur { id }", "messages { body }", "motivation", "pdf { url }",
     "annotations { stringValue }", "instructeurs { email }", "traitements { emailAgentTraitant }",
     "champs { label }", "nomMandataire", "avis { question }", "geojson { url }"],
)  # fmt: skip
def test_control_a_selection_outside_the_list_is_found(more: str) -> None:
    schema = build_schema(published(V2_SCHEMA).read_text(encoding="utf-8"))
    found = selection(schema, f"{{ dossier(number: 1) {{ {more} }} }}")
    assert personal(found) or any(not each.arguments for each in found.champs)


@DOCUMENTS
def test_answers_are_asked_for_one_by_one(schema: GraphQLSchema, document: Document) -> None:
    found = selection(schema, document.text)
    for node in found.champs:
        [argument] = node.arguments or ()
        # A null id would bring every answer of the form.
        assert isinstance(argument.value, VariableNode)
        assert argument.value.name.value not in found.nullable


def test_only_forms_that_the_establishment_decides_ask_for_it(schema: GraphQLSchema) -> None:
    for documents_of in (documents.PAGE, documents.DOSSIER):
        by_residence = selection(schema, documents_of[False].text).fields
        by_establishment = selection(schema, documents_of[True].text).fields
        assert by_establishment - by_residence == {
            ("Dossier", "demandeur"),
            ("PersonneMorale", "address"),
            ("Address", "cityCode"),
        }
        assert ("Dossier", "demandeur") not in by_residence


def test_a_change_is_given_a_dossier_and_a_group_and_nothing_else(schema: GraphQLSchema) -> None:
    given = [
        field.name.value
        for document in documents.ALL
        for operation in parse(document.text).definitions
        if isinstance(operation, OperationDefinitionNode)
        and operation.operation is OperationType.MUTATION
        for change in operation.selection_set.selections
        if isinstance(change, FieldNode)
        for argument in change.arguments or ()
        if isinstance(argument.value, ObjectValueNode)
        for field in argument.value.fields
    ]
    assert set(given) == {"dossierId", "groupeInstructeurId"}


COMPOSITE = (GraphQLObjectType, GraphQLInterfaceType)


def composites(schema: GraphQLSchema) -> Iterator[tuple[str, str]]:
    for kind in schema.type_map.values():
        if isinstance(kind, COMPOSITE) and not kind.name.startswith("__"):
            yield from ((kind.name, field) for field in kind.fields)


def test_every_field_of_the_schema_was_looked_at(schema: GraphQLSchema) -> None:
    assert [each for each in composites(schema) if class_of(*each) is None] == []


@pytest.mark.parametrize(
    ("kind", "field"),
    [("Dossier", "usager"), ("Profile", "email"), ("PersonnePhysique", "nom"),
     ("PersonneMorale", "siret"), ("Dossier", "pdf"), ("SiretChamp", "etablissement"),
     ("TitreIdentiteChamp", "stringValue"), ("TextColumn", "value"), ("Message", "body")],
)  # fmt: skip
def test_what_carries_a_person_counts_as_such(kind: str, field: str) -> None:
    assert class_of(kind, field) is Class.PERSON
