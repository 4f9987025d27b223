"""`wif webhooks`: the webhooks by which TPS tells what to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, TypeVar
from urllib.parse import urlsplit

import typer

from cli.command_error import CommandError
from cli.lazy import lazy_imports
from config.messages import tr, trn
from routing.failures import Cause, Failure

with lazy_imports():
    from cli import context, tables
    from service import register, tps, tps_webhooks
    from store import hints

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from service.runtime import Runtime
    from store.hints import HeardSource

app = typer.Typer(no_args_is_help=True, help="Webhooks of TPS: list, create, renew, enable.")

Procedure = Annotated[int, typer.Argument(help="Id of the procedure.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
WebhookId = Annotated[str, typer.Argument(help="Id of the webhook, as `list` shows it.")]

Given = TypeVar("Given")

COLUMNS = ("procedure", "id", "enabled", "url", "heard_at")


@app.command("list")
def list_(
    numbers: Annotated[list[int] | None, typer.Argument(help="Ids of procedures; all.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the webhooks that were made here, with the last hint about each procedure."""
    with context.runtime() as runtime:
        rows = _rows(runtime, numbers or register.polled_procedures(runtime))
    if as_json:
        context.show_json(rows)
        return
    title = trn("{n} webhook", "{n} webhooks", len(rows))
    tables.show_table(title, COLUMNS, [list(row.values()) for row in rows])


@app.command()
def create(
    procedure: Procedure,
    url: Annotated[str, typer.Option(help="The address of `/hints`, as TPS reaches it.")],
    as_json: AsJson = False,
) -> None:
    """Let TPS tell of every event of a procedure; the secret goes into a file."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.username:
        raise CommandError(
            tr("--url: must be https://HOST/hints; for example: https://wif.example/hints"), code=2
        )
    with context.runtime() as runtime:
        webhook = _asked(lambda: tps_webhooks.create(runtime.settings, procedure, url))
    said = tr(
        "{webhook}: on; its secret is in WIF_TPS_WEBHOOK_SECRETS, file {procedure}",
        webhook=webhook,
        procedure=procedure,
    )
    _say(procedure, webhook, said, as_json=as_json)


@app.command()
def renew(procedure: Procedure, webhook: WebhookId, as_json: AsJson = False) -> None:
    """Give a webhook a new secret; the one before it is good for a day."""
    with context.runtime() as runtime:
        _asked(lambda: tps_webhooks.renew(runtime.settings, procedure, webhook))
    said = tr(
        "{webhook}: has a new secret, which is the first one of the file {procedure}",
        webhook=webhook,
        procedure=procedure,
    )
    _say(procedure, webhook, said, as_json=as_json)


@app.command()
def enable(procedure: Procedure, webhook: WebhookId, as_json: AsJson = False) -> None:
    """Switch a webhook on again; TPS then sends what it kept for up to seven days."""
    with context.runtime() as runtime:
        _asked(lambda: tps_webhooks.enable(runtime.settings, procedure, webhook))
    _say(procedure, webhook, tr("{webhook}: on again", webhook=webhook), as_json=as_json)


def _say(procedure: int, webhook: str, said: str, *, as_json: bool) -> None:
    if as_json:
        context.show_json({"procedure": procedure, "id": webhook})
    else:
        typer.echo(said)


def _rows(runtime: Runtime, numbers: Sequence[int]) -> list[dict[str, object]]:
    with runtime.database.read() as connection:
        heard = {source.procedure: source.heard_at for source in _by_age(connection)}
    with tps.write_port(runtime.settings) as port:
        found = {number: _asked(partial(tps_webhooks.ours, port, number)) for number in numbers}
    return [
        {
            "procedure": number,
            "id": webhook.id,
            "enabled": webhook.enabled,
            "url": webhook.url,
            "heard_at": heard.get(number),
        }
        for number, webhooks in found.items()
        for webhook in webhooks
    ]


def _by_age(connection: Connection) -> list[HeardSource]:
    """The sources of hints, those that were heard last behind the others."""
    return sorted(hints.sources(connection), key=lambda source: source.heard_at)


def _asked(ask: Callable[[], Given]) -> Given:
    try:
        return ask()
    except Failure as failure:
        if failure.cause is Cause.TPS_REJECTED:
            raise CommandError(
                tr("TPS has no webhooks, or refuses this one; without them polls find what is new")
            ) from None
        raise
