"""What every version of the TPS API gives: pages of dossiers, the facts of one, and no more.

Paging, sorting and cursors are the version's own affair. A cursor is text that only the
version that wrote it can read; the store keeps it in the commit that stores its page, so that
a cursor never passes what was not stored. A version starts over when it is given a cursor that
it cannot read (None, another version's, one that the server refuses): rows come again, and the
store knows them.

`ListedDossier` and `Page` are the domain's, because the store takes them as they are. What
versions share lies beside this module: `transport` (GET and POST of JSON with a deadline and a
bound on size), `exchange` (an answer is reduced on the spot, failures leave nothing of it
behind), `json_checks`, `timestamps`, `http_status`, `errors`. `versions` opens one by its name.

Few versions can change anything in TPS: `TpsWritePort` is what one that can gives besides.
"""

from collections.abc import Sequence
from typing import Protocol

from connectors.tps.groups import Group, Placed
from connectors.tps.webhooks import NewSecret, TpsWebhook
from routing.facts import Facts
from routing.form_fields import FormField
from routing.forms import Form, PermitType
from routing.listing import ListedDossier, Page

__all__ = ["ListedDossier", "Page", "TpsPort", "TpsWritePort"]


class TpsPort(Protocol):
    """One TPS server in one version of its API.

    Every method raises `routing.failures.Failure`, whose cause says what to do. Threads may
    share it; processes may not: build it after a fork.
    """

    def changes(self, form: Form, permit_types: Sequence[PermitType], cursor: str | None) -> Page:
        """The next page of what is new or changed since `cursor`."""

    def everything(
        self, form: Form, permit_types: Sequence[PermitType], cursor: str | None
    ) -> Page:
        """The next page of a walk through all dossiers, which `cursor` may stand in the middle of.

        The page that ends the walk has no `more`; its cursor begins the next walk.
        """

    def facts(
        self, form: Form, permit_types: Sequence[PermitType], number: int, cursor: str | None
    ) -> Facts:
        """The facts of one dossier; nothing else of it leaves the connector.

        Args:
            form: the form that it was filed with.
            permit_types: in the order in which they are tried.
            number: its number.
            cursor: the stored one of its procedure, which may hold what helps to read it.
        """

    def can_read(self, procedure: int) -> bool:
        """Whether the server knows the procedure and the token may read it."""

    def fields(self, form: Form) -> tuple[FormField, ...] | None:
        """The fields that routing reads, as the form has them today; None: the version of the
        API does not say."""

    def close(self) -> None:
        """Close the kept connections."""


class TpsWritePort(Protocol):
    """What can be changed in one TPS server, and what has to be known for it.

    Every method raises `routing.failures.Failure`; `Cause.TPS_REJECTED` also where the server
    has no such thing at all.
    """

    def try_out(self) -> None:
        """Ask for nothing but an answer."""

    def groups(self, procedure: int) -> tuple[Group, ...]:
        """The open groups of a form."""

    def placed(self, procedure: int, number: int) -> Placed:
        """The group that has a dossier."""

    def move(self, procedure: int, number: int, dossier: Placed, group: Group) -> bool:
        """Give a dossier to another group of its form; False when TPS refuses to.

        TPS also refuses to move a dossier to the group that has it: look where it is.
        """

    def webhooks(self, procedure: int) -> tuple[TpsWebhook, ...]:
        """The webhooks of a procedure."""

    def create_webhook(self, procedure: int, *, url: str, label: str) -> NewSecret:
        """Let the server tell `url` of every event of a procedure that matters here."""

    def renew_secret(self, procedure: int, webhook: str) -> NewSecret:
        """A new secret for a webhook; the old one signs as well for a day."""

    def enable_webhook(self, procedure: int, webhook: str) -> None:
        """Switch a webhook on again; the server then sends what it kept."""

    def close(self) -> None:
        """Close the kept connections."""
