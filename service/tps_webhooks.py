"""The webhooks of TPS that tell us what to look at: made, renewed, watched.

A secret goes from TPS's answer into a file that its owner alone can read, and nowhere else.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from config.files import open_whole
from config.messages import tr
from config.settings import Settings, SettingsError
from connectors.tps.port import TpsWritePort
from connectors.tps.webhooks import TpsWebhook
from routing.failures import Cause, Failure
from routing.incidents import IncidentKind, PresentIncident
from service.register import polled_procedures
from service.runtime import Runtime
from service.tps import write_port
from store import incidents
from store.audit.log import AuditEntry, Step

KEPT = 2
"""Secrets of a procedure that are kept: the newest, and the one that signs as well for a day."""

LABEL = "Work In France"


def create(settings: Settings, procedure: int, url: str) -> str:
    """Let TPS tell `url` of a procedure's events; the id of the webhook. Its secret is kept.

    Raises:
        SettingsError: there is no folder for the secret, or nothing can be written there.
        TpsFailure: TPS makes none.
    """
    folder = secrets_folder(settings)
    with _place_for_secret(folder, procedure) as keep, write_port(settings) as tps:
        made = tps.create_webhook(procedure, url=url, label=LABEL)
        keep(made.secret.get_secret_value())
    return made.webhook


def renew(settings: Settings, procedure: int, webhook: str) -> None:
    """Give a webhook a new secret and keep it; the one before it is kept as well.

    Raises:
        SettingsError: there is no folder for the secret, or nothing can be written there.
        TpsFailure: TPS makes none.
    """
    folder = secrets_folder(settings)
    with _place_for_secret(folder, procedure) as keep, write_port(settings) as tps:
        made = tps.renew_secret(procedure, webhook)
        keep(made.secret.get_secret_value())


def enable(settings: Settings, procedure: int, webhook: str) -> None:
    """Switch a webhook on again; TPS then sends what it kept.

    Raises:
        SettingsError: there is no address or no token.
        TpsFailure: it stays off.
    """
    with write_port(settings) as tps:
        tps.enable_webhook(procedure, webhook)


def secrets_folder(settings: Settings) -> Path:
    """Where the secrets are.

    Raises:
        SettingsError: nowhere.
    """
    folder = settings.tps_webhook_secrets
    if folder is None:
        raise SettingsError(
            tr(
                "WIF_TPS_WEBHOOK_SECRETS: needed here: the folder of the secrets of webhooks,"
                " which `wif serve` reads; for example: /run/secrets/tps-webhooks"
            )
        )
    return folder


def ours(tps: TpsWritePort, procedure: int) -> list[TpsWebhook]:
    """The webhooks of a procedure that were made here.

    Raises:
        TpsFailure: they cannot be told.
    """
    return [webhook for webhook in tps.webhooks(procedure) if webhook.label == LABEL]


def watch(runtime: Runtime) -> int:
    """Open an incident for each procedure with a webhook that is off; how many there are.

    A server that has no webhooks at all is asked once. One that cannot be asked leaves the
    incidents as they are.
    """
    if not runtime.settings.tps_api.writes:
        return 0
    off = 0
    with write_port(runtime.settings) as tps:
        for procedure in polled_procedures(runtime):
            try:
                runtime.write_throttle.take()
                disabled = [each for each in ours(tps, procedure) if not each.enabled]
            except Failure as failure:
                runtime.write_throttle.pause_if_throttled(failure)
                if failure.cause is Cause.TPS_REJECTED:
                    return off
                continue
            off += bool(disabled)
            _record(runtime, procedure, len(disabled))
    return off


def _record(runtime: Runtime, procedure: int, disabled: int) -> None:
    now, kind, subject = runtime.clock(), IncidentKind.WEBHOOK_OFF, str(procedure)
    with runtime.database.begin() as connection:
        lasting = {
            each.subject: each for each in incidents.lasting(connection) if each.kind is kind
        }
        if disabled:
            found = PresentIncident(kind=kind, subject=subject, count=disabled)
            step = Step.INCIDENT_OPENED if incidents.note(connection, found, now) else None
        else:
            known = lasting.get(subject)
            closed = known is not None and incidents.close(connection, known, now)
            step = Step.INCIDENT_CLOSED if closed else None
        if step is not None:
            entry = AuditEntry(step=step, event=kind.value, procedure=procedure)
            runtime.audit.append(connection, now, [entry])


@contextmanager
def _place_for_secret(folder: Path, procedure: int) -> Iterator[Callable[[str], None]]:
    """A file that takes one secret; opened before TPS is asked, which shows it once.

    Raises:
        SettingsError: nothing can be written there.
    """
    path = folder / str(procedure)
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            before = path.read_text(encoding="ascii").split() if path.exists() else []
            file = stack.enter_context(open_whole(path, sync=True))
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                tr(
                    "WIF_TPS_WEBHOOK_SECRETS: cannot be written ({name}); "
                    "give a folder of this user's",
                    name=type(error).__name__,
                )
            ) from None

        def keep(secret: str) -> None:
            file.write("".join(f"{each}\n" for each in (secret, *before)[:KEPT]).encode())
            stack.close()

        yield keep
