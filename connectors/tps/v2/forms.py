"""Looking up which fields a form has, today or when an older dossier was filed."""

from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock

from connectors.tps.errors import FormChanged, MalformedReason, Operation, RequestContext
from connectors.tps.json_checks import an_object
from connectors.tps.v2 import documents
from connectors.tps.v2.client import V2Client
from connectors.tps.v2.fields import (
    FormRevision,
    FoundFields,
    find,
    find_in_older,
    revision_of,
    wanted_digest,
)
from connectors.tps.v2.graphql_errors import data_of
from routing.forms import Field, Form

REMEMBERED = 1000
"""Older revisions that a process remembers."""

_Key = tuple[int, str, str, str]


class Forms:
    """The forms of one server."""

    def __init__(self, client: V2Client) -> None:
        """Look up nothing yet."""
        self._client = client
        self._older: OrderedDict[_Key, FoundFields] = OrderedDict()
        self._lock = Lock()

    def today(self, procedure: int) -> FormRevision:
        """The form as people fill it in today. One request."""
        place = RequestContext(Operation.LOOK_UP, procedure)

        def read(content: object) -> FormRevision:
            demarche = data_of(content, place).get("demarche")
            found = an_object(demarche, MalformedReason.PROCEDURE)
            return revision_of(found.get("activeRevision"))

        return self._client.ask(place, documents.FORM, {"procedure": procedure}, read)

    def find_today(self, form: Form) -> FoundFields:
        """The fields that routing reads, as the form has them today. One request.

        Raises:
            FormChanged: one of them cannot be told.
        """
        found = find(form, self.today(form.procedure))
        for field, mismatch in found.mismatch.items():
            raise FormChanged(RequestContext(Operation.LOOK_UP, form.procedure), field, mismatch)
        return found

    def remembered(self, form: Form, revision: str, today: FoundFields) -> FoundFields | None:
        """The fields in an older revision, None when it was not looked up in this process."""
        if revision == today.revision:
            return today
        with self._lock:
            return self._older.get(_key(form, revision, today))

    def find_older(self, form: Form, number: int, today: FoundFields) -> FoundFields:
        """The fields in the revision that a dossier was filed with. One request."""
        place = RequestContext(Operation.READ, form.procedure, number)

        def read(content: object) -> FormRevision:
            dossier = an_object(data_of(content, place).get("dossier"), MalformedReason.DOSSIER)
            demarche = an_object(dossier.get("demarche"), MalformedReason.PROCEDURE)
            return revision_of(demarche.get("revision"))

        revision = self._client.ask(place, documents.DOSSIER_FORM, {"number": number}, read)
        found = find_in_older(form, revision, today.ids)
        with self._lock:
            self._older[_key(form, revision.id, today)] = found
            while len(self._older) > REMEMBERED:
                self._older.popitem(last=False)
        return found


def same_ids(one: Mapping[Field, str], other: Mapping[Field, str]) -> bool:
    """Whether two revisions have the fields by the same ids."""
    return dict(one) == dict(other)


def _key(form: Form, revision: str, today: FoundFields) -> _Key:
    return form.procedure, wanted_digest(form), revision, today.revision
