"""Executing a query of v2 against the dossiers of the simulated TPS."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    IntValueNode,
    OperationDefinitionNode,
    VariableNode,
    execute_sync,
    parse,
    validate,
)
from graphql.language import FragmentDefinitionNode, InlineFragmentNode, Visitor, visit

from simulator.faults import Fault, FaultKind
from simulator.v2.context import Context
from simulator.v2.mutations import MUTATIONS
from simulator.v2.nodes import RESOLVERS
from simulator.v2.webhooks import WEBHOOKS

_RESOLVERS = {**RESOLVERS, **MUTATIONS, **WEBHOOKS}


@dataclass(frozen=True, slots=True)
class Document:
    """A query that was parsed and checked.

    Attributes:
        parsed: the document, None when it is none.
        errors: why it cannot be executed.
        fragments: names of the types that it has fragments on.
    """

    parsed: DocumentNode | None
    errors: tuple[GraphQLError, ...]
    fragments: frozenset[str]


@lru_cache(maxsize=256)
def read(schema: GraphQLSchema, text: str) -> Document:
    """The document in a text; a client sends the same ones over and over."""
    try:
        parsed = parse(text)
    except GraphQLError as error:
        return Document(None, (error,), frozenset())
    seen = _Fragments()
    visit(parsed, seen)
    return Document(parsed, tuple(validate(schema, parsed)), frozenset(seen.types))


def execute(
    schema: GraphQLSchema,
    document: Document,
    context: Context,
    *,
    variables: Mapping[str, Any],
    operation: str | None,
) -> bytes:
    """The answer to a query, as the server sends it."""
    if document.parsed is None or document.errors:
        return _bytes(ExecutionResult(None, list(document.errors)), "bad_request")
    result = execute_sync(
        schema,
        document.parsed,
        context_value=context,
        variable_values=dict(variables),
        operation_name=operation,
        field_resolver=_resolve,
    )
    return _bytes(result, "invalid_null")


def refused(message: str, code: str) -> bytes:
    """An answer of errors alone."""
    return _bytes(ExecutionResult(None, [GraphQLError(message)]), code)


def beside_data(answer: bytes, fault: Fault) -> bytes:
    """An answer with one error more, and all its data."""
    content = orjson.loads(answer)
    error = {"message": fault.message, "extensions": {"code": fault.code}}
    return orjson.dumps({**content, "errors": [*content.get("errors", ()), error]})


def subject(document: Document, variables: Mapping[str, Any]) -> tuple[str, object] | None:
    """The first field that is asked for and the number that it is asked with."""
    for definition in document.parsed.definitions if document.parsed else ():
        if isinstance(definition, OperationDefinitionNode):
            for node in definition.selection_set.selections:
                if isinstance(node, FieldNode):
                    return node.name.value, _number(node, variables)
    return None


def shapes_answer(kind: FaultKind) -> bool:
    """Whether a fault shows in an answer that is otherwise executed."""
    return kind in {FaultKind.NULL_PAGE, FaultKind.MALFORMED}


def _number(node: FieldNode, variables: Mapping[str, Any]) -> object:
    for argument in node.arguments or ():
        if argument.name.value == "number":
            if isinstance(argument.value, VariableNode):
                return variables.get(argument.value.name.value)
            if isinstance(argument.value, IntValueNode):
                return int(argument.value.value)
    return None


class _Fragments(Visitor):
    """Collects the types that a document has fragments on."""

    def __init__(self) -> None:
        super().__init__()
        self.types: set[str] = set()

    def enter_inline_fragment(self, node: InlineFragmentNode, *_: object) -> None:
        if node.type_condition is not None:
            self.types.add(node.type_condition.name.value)

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: object) -> None:
        self.types.add(node.type_condition.name.value)


def _resolve(source: Any, info: GraphQLResolveInfo[Context], **arguments: Any) -> object:  # noqa: ANN401
    context = info.context
    coordinate = f"{info.parent_type.name}.{info.field_name}"
    context.service.selected.add(coordinate)
    resolver = _RESOLVERS.get(coordinate)
    if resolver is not None:
        return resolver(source, context, arguments)
    if isinstance(source, Mapping):
        return source.get(info.field_name)
    return getattr(source, info.field_name, None)


def _bytes(result: ExecutionResult, code: str) -> bytes:
    content: dict[str, object] = {"data": result.data}
    if result.errors:
        content["errors"] = [_error(error, code) for error in result.errors]
    return orjson.dumps(content, default=str)


def _error(error: GraphQLError, code: str) -> Mapping[str, object]:
    return {**error.formatted, "extensions": {"code": code, **(error.extensions or {})}}
