"""What `wif doctor` says of TPS: procedures, version of the API, hints and groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cli.command_error import CommandError
from cli.doctor.finding import Advice
from cli.lazy import lazy_imports
from config.messages import tr, trn
from routing.forms import Form

with lazy_imports():
    from cli import tables
    from cli.doctor import groups
    from config import ruleset
    from service import (
        publish_rules,
        tps_versions,
        tps_webhooks,
    )
    from service import tps as tps_ports
    from store import hints

if TYPE_CHECKING:
    from connectors.tps.port import TpsPort
    from service.runtime import Runtime


def check_tps(runtime: Runtime) -> str:
    """Whether TPS answers, and knows every procedure."""
    only = runtime.settings.only_procedures
    try:
        forms = publish_rules.configured_rules(runtime.settings).forms
    except ruleset.ConfigurationError:
        # That is said of the rules; here it is asked what TPS answers.
        forms = {}
    numbers = [n for n in forms if not only or n in only] or sorted(only)
    if not numbers:
        runtime.tps.can_read(1)
        return tr("answers; which procedures it knows is not checked while the rules are wrong")
    refused = [
        number for number in numbers if not _port(runtime, forms.get(number)).can_read(number)
    ]
    if refused:
        shown = ", ".join(map(str, refused[:5])) + (" …" if len(refused) > 5 else "")  # noqa: PLR2004
        raise CommandError(
            trn(
                "{n} procedure is unknown to TPS or out of the token's scope: {shown}",
                "{n} procedures are unknown to TPS or out of the token's scope: {shown}",
                len(refused),
                shown=shown,
            )
        )
    return tr("answers for every procedure")


def check_api(runtime: Runtime) -> str:
    """Which versions of its API the server answers to, and which one to set."""
    wanted = runtime.settings.tps_api
    answered = tps_versions.answering(runtime, polled_procedures(runtime))
    said = ", ".join(answered) or tr("no version")
    if wanted in answered:
        if wanted is not (best := answered[-1]):
            raise Advice(tr("answers to {said}: set WIF_TPS_API={api}", said=said, api=best))
        return tr("answers to {said}", said=said)
    if not answered:
        raise CommandError(tr("answers to no version for these procedures: see the line above"))
    raise CommandError(
        tr(
            "answers to {said}, not to {wanted}: set WIF_TPS_API={api}",
            said=said,
            wanted=wanted,
            api=answered[-1],
        )
    )


def polled_procedures(runtime: Runtime) -> Sequence[int]:
    """The procedures that are polled, as far as they are known while the rules are wrong."""
    only = runtime.settings.only_procedures
    try:
        forms = publish_rules.configured_rules(runtime.settings).forms
    except ruleset.ConfigurationError:
        return sorted(only)
    return [number for number in forms if not only or number in only] or sorted(only)


def _port(runtime: Runtime, form: Form | None) -> TpsPort:
    return runtime.tps if form is None else runtime.tps_for(form)


def check_groups(runtime: Runtime) -> str:
    """Whether the groups that units have in `units.yaml` are there in TPS."""
    return groups.compare(runtime, polled_procedures(runtime))


def check_hints(runtime: Runtime) -> str:
    """Whether TPS's webhooks are on, and when the last hint came."""
    settings = runtime.settings
    if settings.hint_secret is None and settings.tps_webhook_secrets is None:
        return tr("not used: polls alone find what is new")
    with runtime.database.read() as connection:
        heard = max((source.heard_at for source in hints.sources(connection)), default=None)
    last = tr("the last hint came at {at}", at=tables.cell(heard)) if heard else tr("none came yet")
    off = _webhooks_off(runtime)
    if off:
        raise CommandError(
            tr(
                "TPS has switched off the webhook of {names}; {last}: see `wif webhooks "
                "list`, then `wif webhooks enable`",
                names=", ".join(map(str, off[:5])),
                last=last,
            )
        )
    return last


def _webhooks_off(runtime: Runtime) -> list[int]:
    """Procedures with a secret here whose webhook is off."""
    folder = runtime.settings.tps_webhook_secrets
    if folder is None or not folder.is_dir():
        return []
    numbers = sorted(int(path.name) for path in folder.iterdir() if path.name.isdecimal())
    with tps_ports.write_port(runtime.settings) as port:
        return [
            number
            for number in numbers
            if any(not webhook.enabled for webhook in tps_webhooks.ours(port, number))
        ]
