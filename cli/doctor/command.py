"""`wif doctor`: whether every setting and everything that the service depends on works."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cli.command_error import CommandError
from cli.doctor.finding import Advice, DoctorCheck, State
from cli.lazy import lazy_imports
from config.foreign_messages import translated
from config.messages import mark, tr
from routing.failures import Failure

with lazy_imports():
    import sqlalchemy

    from cli import codes, context, database_error, tables
    from cli.doctor import configured, queues, servers, tps
    from config import ruleset
    from config import settings as config_settings
    from service import runtime as runtimes
    from service.guards import bounded_redis
    from store.audit import seal_keys

if TYPE_CHECKING:
    from service.runtime import Runtime


SETTINGS = {"broker": "WIF_BROKER_URL", "mail": "WIF_OUTBOX_DIR", "sent log": "WIF_SENT_LOG"}
"""The setting behind what cannot be reached or written."""


SHOWN = {State.OK: mark("ok"), State.WARN: mark("WARN"), State.WRONG: mark("WRONG")}


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check settings, rules, database, broker, TPS and mail; exit 1 when something is wrong.

    What is marked WARN works, and asks for something before it is relied on.
    """
    made = runtimes.Runtime(context.settings())
    try:
        findings = list(examine(made))
    finally:
        made.close()
    if as_json:
        context.show_json([{**asdict(item), "well": item.well} for item in findings])
    else:
        rows = [(tr(SHOWN[item.state]), tr(item.check), item.advice) for item in findings]
        tables.show_table(tr("Doctor"), ("state", "check", "advice"), rows)
    if not all(item.well for item in findings):
        raise typer.Exit(1)


def examine(runtime: Runtime) -> Iterator[DoctorCheck]:
    """Every check in turn; one that fails does not stop the others."""
    checks: tuple[tuple[str, Callable[[Runtime], str]], ...] = (
        (mark("settings"), configured.check_settings),
        (mark("rules"), configured.check_rules),
        (mark("audit key"), configured.check_audit_key),
        (mark("seal key"), configured.check_seal_key),
        (mark("database"), servers.check_database),
        (mark("partitions"), servers.check_partitions),
        (mark("broker"), servers.check_broker),
        (mark("queues"), queues.check_queues),
        (mark("tps"), tps.check_tps),
        (mark("tps api"), tps.check_api),
        (mark("mail"), servers.check_mail),
        (mark("signatures"), configured.check_signatures),
        (mark("hints"), tps.check_hints),
        (mark("channels"), servers.check_channels),
        (mark("reminders"), configured.check_reminders),
        (mark("tps groups"), tps.check_groups),
        (mark("sent log"), configured.check_sent_log),
        (mark("secrets"), configured.check_secrets),
    )
    for name, check in checks:
        yield _finding(name, check, runtime)


def _finding(name: str, check: Callable[[Runtime], str], runtime: Runtime) -> DoctorCheck:
    try:
        return DoctorCheck(name, State.OK, check(runtime))
    except Advice as advice_:
        return DoctorCheck(name, State.WARN, str(advice_))
    except (
        config_settings.SettingsError,
        seal_keys.SealKeyError,
        CommandError,
        ruleset.ConfigurationError,
    ) as error:
        return DoctorCheck(name, State.WRONG, translated(str(error)))
    except Failure as failure:
        return DoctorCheck(name, State.WRONG, codes.failed(failure))
    except sqlalchemy.exc.SQLAlchemyError as error:
        return DoctorCheck(name, State.WRONG, database_error.explained(error))
    except bounded_redis.FAULTS as error:
        advice = tr(
            "cannot be used ({name}): see {setting}",
            name=type(error).__name__,
            setting=SETTINGS.get(name, "WIF_VAR_DIR"),
        )
        return DoctorCheck(name, State.WRONG, advice)
