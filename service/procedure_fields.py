"""What is stored of one procedure, and where its form has the fields that routing reads."""

from dataclasses import dataclass

from routing.form_fields import FormField
from routing.forms import TpsApi
from service.publish_rules import configured_rules
from service.runtime import Runtime
from store import procedures
from store.models import Procedure


@dataclass(frozen=True, slots=True)
class ShownProcedure:
    """A procedure for a person to look at.

    Attributes:
        number: its id.
        api: the version of the API that it is read with.
        stored: its row, None before the first poll.
        fields: as TPS has them now, None where the version does not say.
    """

    number: int
    api: TpsApi
    stored: Procedure | None
    fields: tuple[FormField, ...] | None

    @property
    def mismatched(self) -> bool:
        """Whether a field cannot be told."""
        return any(each.mismatch for each in self.fields or ())


def show(runtime: Runtime, number: int) -> ShownProcedure:
    """A procedure in force, or one that the files have and that is not published yet.

    TPS is asked: one request.

    Raises:
        KeyError: it is neither.
        ConfigurationError: it is not in force, and the files are wrong.
        Failure: TPS could not be asked.
    """
    known = runtime.rules().forms
    form = known[number] if number in known else configured_rules(runtime.settings).forms[number]
    with runtime.database.read() as connection:
        rows = [row for row in procedures.listing(connection) if row.number == number]
    runtime.throttle_for(form).take()
    fields = runtime.tps_for(form).fields(form)
    api = form.api or runtime.settings.tps_api
    return ShownProcedure(number, api, rows[0] if rows else None, fields)
