"""`wif doctor`: whether every setting and everything that the service depends on works."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cli.command_error import CommandError
from cli.lazy import lazy_imports
from routing.failures import TABLE, Failure
from routing.forms import Form, TpsApi

with lazy_imports():
    import redis
    import sqlalchemy

    from cli import context, tables
    from config import ruleset
    from config import settings as config_settings
    from connectors import deadline
    from connectors.mail import smtp
    from service import (
        channels,
        mail,
        publish_rules,
        seal,
        secret_age,
        tps_versions,
        tps_webhooks,
    )
    from service import runtime as runtimes
    from service.guards import bounded_redis
    from store import hints, schema, sent_log
    from store.audit import seal_keys

if TYPE_CHECKING:
    from connectors.tps.port import TpsPort
    from service.runtime import Runtime


BROKER_SECONDS = 5.0
"""How long the broker may take to answer."""

SETTINGS = {"broker": "WIF_BROKER_URL", "mail": "WIF_OUTBOX_DIR", "sent log": "WIF_SENT_LOG"}
"""The setting behind what cannot be reached or written."""


class State(StrEnum):
    """How a check ended. A warning does not change the exit code."""

    OK = "ok"
    WARN = "warn"
    WRONG = "wrong"


class Advice(Exception):
    """It works, and there is something to do before it is relied on."""


@dataclass(frozen=True, slots=True)
class DoctorCheck:
    """What one check found; `advice` says what to do when it is not well."""

    check: str
    state: State
    advice: str = ""

    @property
    def well(self) -> bool:
        """Whether it works."""
        return self.state is not State.WRONG


SHOWN = {State.OK: "ok", State.WARN: "WARN", State.WRONG: "WRONG"}


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
        rows = [(SHOWN[item.state], item.check, item.advice) for item in findings]
        tables.show_table("Doctor", ("", "check", "advice"), rows)
    if not all(item.well for item in findings):
        raise typer.Exit(1)


def examine(runtime: Runtime) -> Iterator[DoctorCheck]:
    """Every check in turn; one that fails does not stop the others."""
    checks: tuple[tuple[str, Callable[[Runtime], str]], ...] = (
        ("settings", _settings),
        ("rules", _rules),
        ("audit key", _audit_key),
        ("seal key", _seal_key),
        ("database", _database),
        ("broker", _broker),
        ("tps", _tps),
        ("tps api", _tps_api),
        ("mail", _mail),
        ("hints", _hints),
        ("channels", _channels),
        ("sent log", _sent_log),
        ("secrets", _secrets),
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
        return DoctorCheck(name, State.WRONG, str(error))
    except Failure as failure:
        return DoctorCheck(name, State.WRONG, f"{failure}: {TABLE[failure.cause].meaning}")
    except sqlalchemy.exc.SQLAlchemyError as error:
        advice = f"cannot be used ({type(error).__name__}): see WIF_DATABASE_URL"
        return DoctorCheck(name, State.WRONG, advice)
    except (redis.RedisError, OSError) as error:
        advice = f"cannot be used ({type(error).__name__}): see {SETTINGS.get(name, 'WIF_VAR_DIR')}"
        return DoctorCheck(name, State.WRONG, advice)


def _settings(_runtime: Runtime) -> str:
    unknown = config_settings.unknown_settings()
    if unknown:
        raise CommandError("; ".join(unknown))
    return "every WIF_… setting is known"


def _rules(runtime: Runtime) -> str:
    publish_rules.configured_document(runtime.settings)
    return "the configuration has no mistakes"


def _audit_key(runtime: Runtime) -> str:
    return f"{len(runtime.audit.keys)} known"


def _seal_key(runtime: Runtime) -> str:
    first = seal.first_key(runtime.settings, seal.signing_key(runtime))
    pins = runtime.settings.seal_pins
    if pins and first not in pins:
        raise CommandError(
            f"WIF_SEAL_PUBLIC_KEYS: the first key here is another one, {first}; find out who "
            "changed it, and run `wif audit verify`"
        )
    missing = [] if pins else [f"pin the first key: WIF_SEAL_PUBLIC_KEYS={first}"]
    if not runtime.settings.ops_mailbox:
        missing.append("set WIF_OPS_MAILBOX, which gets the newest seal each day")
    if missing:
        raise Advice(f"can sign; NOT ANCHORED outside: {'; '.join(missing)}")
    return f"can sign; anchored at {first}"


def _database(runtime: Runtime) -> str:
    with runtime.database.read() as connection:
        connection.execute(sqlalchemy.text("SELECT 1"))
    if schema.is_empty(runtime.database):
        return f"{runtime.database.dialect}, still empty: made at the first start"
    if not schema.is_current(runtime.database):
        raise CommandError("the schema is missing or older: run `wif db upgrade`")
    return runtime.database.dialect


def _broker(runtime: Runtime) -> str:
    url = runtime.settings.broker_url
    if url is None:
        return "not set: `wif up` starts an embedded one"
    client = bounded_redis.connect(url.get_secret_value(), seconds=BROKER_SECONDS)
    try:
        with deadline.within(BROKER_SECONDS):
            policy = str(client.info("memory").get("maxmemory_policy"))
    finally:
        client.close()
    if policy != "noeviction":
        raise CommandError(f"evicts messages ({policy}): set maxmemory-policy to noeviction")
    return "answers"


def _tps(runtime: Runtime) -> str:
    only = runtime.settings.only_procedures
    try:
        forms = publish_rules.configured_rules(runtime.settings).forms
    except ruleset.ConfigurationError:
        # That is said of the rules; here it is asked what TPS answers.
        forms = {}
    numbers = [n for n in forms if not only or n in only] or sorted(only)
    if not numbers:
        runtime.tps.can_read(1)
        return "answers; which procedures it knows is not checked while the rules are wrong"
    refused = [
        number for number in numbers if not _port(runtime, forms.get(number)).can_read(number)
    ]
    if refused:
        shown = ", ".join(map(str, refused[:5])) + (" …" if len(refused) > 5 else "")  # noqa: PLR2004
        raise CommandError(
            f"{len(refused)} procedures are unknown to TPS or out of the token's scope: {shown}"
        )
    return "answers for every procedure"


def _tps_api(runtime: Runtime) -> str:
    """Which versions of its API the server answers to, and which one to set."""
    wanted = runtime.settings.tps_api
    answered = tps_versions.answering(runtime, _procedures(runtime))
    said = ", ".join(answered) or "no version"
    if wanted in answered:
        if TpsApi.V2 in answered and wanted is not TpsApi.V2:
            raise Advice(f"answers to {said}: set WIF_TPS_API={TpsApi.V2}")
        return f"answers to {said}"
    if not answered:
        raise CommandError("answers to no version for these procedures: see the line above")
    raise CommandError(f"answers to {said}, not to {wanted}: set WIF_TPS_API={answered[-1]}")


def _procedures(runtime: Runtime) -> Sequence[int]:
    """The procedures that are polled, as far as they are known while the rules are wrong."""
    only = runtime.settings.only_procedures
    try:
        forms = publish_rules.configured_rules(runtime.settings).forms
    except ruleset.ConfigurationError:
        return sorted(only)
    return [number for number in forms if not only or number in only] or sorted(only)


def _port(runtime: Runtime, form: Form | None) -> TpsPort:
    return runtime.tps if form is None else runtime.tps_for(form)


def _channels(runtime: Runtime) -> str:
    unready = [each for each in channels.channel_statuses(runtime) if each.state != channels.READY]
    if unready:
        shown = ", ".join(f"{each.unit} {each.channel} ({each.state})" for each in unready[:5])
        more = " …" if len(unready) > 5 else ""  # noqa: PLR2004
        raise CommandError(f"{len(unready)} cannot be used: {shown}{more}; see `wif channels list`")
    return "every channel of every unit can be used; `wif channels test` sends a trial"


def _mail(runtime: Runtime) -> str:
    url = runtime.settings.smtp_url
    if url is None:
        runtime.settings.outbox.mkdir(parents=True, exist_ok=True)
        return "no server set: messages are written as .eml files"
    with mail.mail_sender(runtime.settings) as sender:
        if isinstance(sender, smtp.SmtpSender):
            sender.check()
    return "the server lets us in"


def _sent_log(runtime: Runtime) -> str:
    path = runtime.settings.sent_log
    if path is None:
        missing = "WIF_SENT_LOG is not set: a restore would send again what was sent since"
        if runtime.settings.in_production:
            raise Advice(missing)
        return missing
    sent_log.SentLog(path, runtime.audit.keys[0]).check()
    return "can be written"


def _secrets(runtime: Runtime) -> str:
    ages = list(secret_age.secret_ages(runtime.settings, runtime.clock()))
    old = [age for age in ages if age.days > runtime.settings.secret_max_age_days]
    if old:
        named = ", ".join(f"{age.setting} is {age.days} days old" for age in old)
        raise Advice(f"{named}: rotate it; docs/exploitation.md says how, for each")
    return f"{len(ages)} in files, none older than {runtime.settings.secret_max_age_days} days"


def _hints(runtime: Runtime) -> str:
    """Whether TPS's webhooks are on, and when the last hint came."""
    settings = runtime.settings
    if settings.hint_secret is None and settings.tps_webhook_secrets is None:
        return "not used: polls alone find what is new"
    with runtime.database.read() as connection:
        heard = max((source.heard_at for source in hints.sources(connection)), default=None)
    last = f"the last hint came at {tables.cell(heard)}" if heard else "none came yet"
    off = _webhooks_off(runtime)
    if off:
        raise CommandError(
            f"TPS has switched off the webhook of {', '.join(map(str, off[:5]))}; {last}: see "
            "`wif webhooks list`, then `wif webhooks enable`"
        )
    return last


def _webhooks_off(runtime: Runtime) -> list[int]:
    """Procedures with a secret here whose webhook is off."""
    folder = runtime.settings.tps_webhook_secrets
    if folder is None or not folder.is_dir():
        return []
    numbers = sorted(int(path.name) for path in folder.iterdir() if path.name.isdecimal())
    with tps_webhooks.client_of(runtime.settings) as client:
        return [
            number
            for number in numbers
            if any(not webhook.enabled for webhook in tps_webhooks.ours(client, number))
        ]
