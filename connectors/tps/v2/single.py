"""Reading one dossier by its number."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from connectors.tps.errors import MalformedReason, Operation, RequestContext
from connectors.tps.json_checks import MalformedJson, an_object
from connectors.tps.v2 import documents
from connectors.tps.v2.answers import is_absent
from connectors.tps.v2.client import V2Client, field_variables
from connectors.tps.v2.dossier import facts_of, needs_establishment, number_of, revision_id
from connectors.tps.v2.fields import FoundFields
from connectors.tps.v2.forms import Forms, same_ids
from connectors.tps.v2.graphql_errors import data_of
from routing.facts import Facts
from routing.forms import Form, PermitType


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """The dossier lacks a field that its own revision of the form may have by another id."""

    revision: str


@dataclass(frozen=True, slots=True)
class SingleReader:
    """Reads dossiers one by one.

    Attributes:
        client: of the server.
        forms: of the server.
        wait_for_request: called before each request after the first.
    """

    client: V2Client
    forms: Forms
    wait_for_request: Callable[[], object]

    def facts(
        self, form: Form, permit_types: Sequence[PermitType], number: int, today: FoundFields
    ) -> Facts:
        """The facts of a dossier; one request, three where its form is an older one.

        Raises:
            TpsFailure: of the class that says what to do.
        """
        found = self._ask(form, permit_types, number, today, today)
        if isinstance(found, Facts):
            return found
        older = self.forms.remembered(form, found.revision, today)
        if older is None:
            self.wait_for_request()
            older = self.forms.find_older(form, number, today)
        self.wait_for_request()
        again = self._ask(form, permit_types, number, older, None)
        if isinstance(again, Facts):
            return again
        raise RuntimeError("a dossier was asked for by the ids of its own revision")

    def _ask(
        self,
        form: Form,
        permit_types: Sequence[PermitType],
        number: int,
        fields: FoundFields,
        today: FoundFields | None,
    ) -> Facts | _Elsewhere:
        """The facts; with `today` also where else to look for what the dossier lacks."""
        place = RequestContext(Operation.READ, form.procedure, number)

        def read(content: object) -> Facts | _Elsewhere:
            dossier = an_object(data_of(content, place).get("dossier"), MalformedReason.DOSSIER)
            if number_of(dossier) != number:
                raise MalformedJson(MalformedReason.NUMBER)
            absent = any(is_absent(dossier, field) for field in fields.ids)
            if today is not None and absent:
                revision = revision_id(dossier)
                known = self.forms.remembered(form, revision, today)
                if known is None or not same_ids(known.ids, today.ids):
                    return _Elsewhere(revision)
            return facts_of(dossier, form=form, permit_types=permit_types)

        document = documents.DOSSIER[needs_establishment(form, permit_types)]
        variables = {
            "number": number,
            **field_variables(fields.ids, addresses=fields.addresses),
        }
        return self.client.ask(place, document, variables, read, rows=1)
