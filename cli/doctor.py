"""`wif doctor`: whether every setting and everything that the service depends on works."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cli.command_error import CommandError
from cli.lazy import lazy_imports
from config.foreign_messages import translated
from config.messages import mark, tr, trn
from routing.failures import Failure
from routing.forms import Form

with lazy_imports():
    import redis
    import sqlalchemy

    from cli import codes, context, doctor_groups, tables
    from config import broker_url, ruleset, smime
    from config import settings as config_settings
    from connectors import deadline
    from service import (
        channels,
        mail,
        publish_rules,
        reminders,
        seal,
        secret_age,
        tps_versions,
        tps_webhooks,
    )
    from service import runtime as runtimes
    from service.guards import bounded_redis
    from store import hints, partitions, schema, sent_log
    from store.audit import seal_keys

if TYPE_CHECKING:
    from config.broker_url import SentinelAddress
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
        (mark("settings"), _settings),
        (mark("rules"), _rules),
        (mark("audit key"), _audit_key),
        (mark("seal key"), _seal_key),
        (mark("database"), _database),
        (mark("partitions"), _partitions),
        (mark("broker"), _broker),
        (mark("tps"), _tps),
        (mark("tps api"), _tps_api),
        (mark("mail"), _mail),
        (mark("signatures"), _smime),
        (mark("hints"), _hints),
        (mark("channels"), _channels),
        (mark("reminders"), _reminders),
        (mark("tps groups"), _groups),
        (mark("sent log"), _sent_log),
        (mark("secrets"), _secrets),
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
        advice = tr("cannot be used ({name}): see WIF_DATABASE_URL", name=type(error).__name__)
        return DoctorCheck(name, State.WRONG, advice)
    except (redis.RedisError, OSError) as error:
        advice = tr(
            "cannot be used ({name}): see {setting}",
            name=type(error).__name__,
            setting=SETTINGS.get(name, "WIF_VAR_DIR"),
        )
        return DoctorCheck(name, State.WRONG, advice)


def _settings(_runtime: Runtime) -> str:
    unknown = config_settings.unknown_settings()
    if unknown:
        raise CommandError(tr("; ").join(unknown))
    return tr("every WIF_… setting is known")


def _rules(runtime: Runtime) -> str:
    publish_rules.configured_document(runtime.settings)
    return tr("the configuration has no mistakes")


def _audit_key(runtime: Runtime) -> str:
    return trn("{n} known", "{n} known", len(runtime.audit.keys))


def _seal_key(runtime: Runtime) -> str:
    first = seal.first_key(runtime.settings, seal.signing_key(runtime))
    pins = runtime.settings.seal_pins
    if pins and first not in pins:
        raise CommandError(
            tr(
                "WIF_SEAL_PUBLIC_KEYS: the first key here is another one, {first}; find out "
                "who changed it, and run `wif audit verify`",
                first=first,
            )
        )
    missing = [] if pins else [tr("pin the first key: `WIF_SEAL_PUBLIC_KEYS={first}`", first=first)]
    if not runtime.settings.ops_mailbox:
        missing.append(tr("set WIF_OPS_MAILBOX, which gets the newest seal each day"))
    if missing:
        raise Advice(tr("can sign; NOT ANCHORED outside: {names}", names=tr("; ").join(missing)))
    return tr("can sign; anchored at {first}", first=first)


def _database(runtime: Runtime) -> str:
    with runtime.database.read() as connection:
        connection.execute(sqlalchemy.text("SELECT 1"))
    if schema.is_empty(runtime.database):
        return tr(
            "{dialect}, still empty: made at the first start", dialect=runtime.database.dialect
        )
    if not schema.is_current(runtime.database):
        raise CommandError(tr("the schema is missing or older: run `wif db upgrade`"))
    if runtime.database.pooled:
        return _pooled(runtime)
    return runtime.database.dialect


def _partitions(runtime: Runtime) -> str:
    """Whether the audit log has partitions for the months to come, where it has any."""
    ahead = partitions.months_ahead(runtime.database, runtime.clock())
    if ahead is None:
        return tr("the audit log is in one table")
    if ahead < partitions.SOON:
        ahead = max(0, ahead)
        text = tr("partitions of the audit log end in {n} months: run `wif db partition`", n=ahead)
        raise Advice(text)
    return tr("for {n} months to come", n=ahead)


def _pooled(runtime: Runtime) -> str:
    """Whether PostgreSQL has by itself the time-outs that a pooler does not pass on."""
    names = ("statement_timeout", "idle_in_transaction_session_timeout")
    with runtime.database.read() as connection:
        off = [
            name
            for name in names
            if connection.scalar(sqlalchemy.text("SELECT current_setting(:name)"), {"name": name})
            == "0"
        ]
    if off:
        raise Advice(
            tr(
                "missing {names}, which a pooler does not pass on: "
                "ALTER ROLE … SET {first} = '60s'",
                names=", ".join(off),
                first=off[0],
            )
        )
    return tr("postgresql behind a pooler, with time-outs of its own")


def _broker(runtime: Runtime) -> str:
    url = runtime.settings.broker_url
    if url is None:
        return tr("not set: `wif up` starts an embedded one")
    client = bounded_redis.connect(url.get_secret_value(), seconds=BROKER_SECONDS)
    try:
        with deadline.within(BROKER_SECONDS):
            policy = str(client.info("memory").get("maxmemory_policy"))
            replicas = int(client.info("replication").get("connected_slaves", 0))
    finally:
        client.close()
    if policy != "noeviction":
        raise CommandError(
            tr("evicts messages ({policy}): set maxmemory-policy to noeviction", policy=policy)
        )
    behind = broker_url.through_sentinel(url.get_secret_value())
    return _sentinels(behind, replicas) if behind else tr("answers")


def _sentinels(address: SentinelAddress, replicas: int) -> str:
    """Whether another server could take over from the master."""
    silent = []
    asked = bounded_redis.sentinels(address, seconds=BROKER_SECONDS)
    for (host, port), client in zip(address.hosts, asked, strict=True):
        try:
            with deadline.within(BROKER_SECONDS):
                client.sentinel_ckquorum(address.master)
        except (redis.RedisError, OSError):
            silent.append(f"{host}:{port}")
        finally:
            client.close()
    if silent:
        names = ", ".join(silent)
        raise Advice(tr("the Sentinel {names} is away, or sees too few others", names=names))
    if not replicas:
        raise Advice(tr("the master has no replica: nothing could take over from it"))
    return tr("answers; {n} could take over", n=replicas)


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
        return tr("answers; which procedures it knows is not checked while the rules are wrong")
    refused = [
        number for number in numbers if not _port(runtime, forms.get(number)).can_read(number)
    ]
    if refused:
        shown = ", ".join(map(str, refused[:5])) + (" …" if len(refused) > 5 else "")  # noqa: PLR2004
        raise CommandError(
            tr(
                "{count} procedures are unknown to TPS or out of the token's scope: {shown}",
                count=len(refused),
                shown=shown,
            )
        )
    return tr("answers for every procedure")


def _tps_api(runtime: Runtime) -> str:
    """Which versions of its API the server answers to, and which one to set."""
    wanted = runtime.settings.tps_api
    answered = tps_versions.answering(runtime, _procedures(runtime))
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
    if schema.is_empty(runtime.database):
        return tr("looked at once the database has its tables: `wif db upgrade` makes them")
    unready = [each for each in channels.channel_statuses(runtime) if each.state != channels.READY]
    if unready:
        shown = ", ".join(f"{each.unit} {each.channel} ({each.state})" for each in unready[:5])
        more = " …" if len(unready) > 5 else ""  # noqa: PLR2004
        raise CommandError(
            trn(
                "{n} cannot be used: {shown}{more}; see `wif channels list`",
                "{n} cannot be used: {shown}{more}; see `wif channels list`",
                len(unready),
                shown=shown,
                more=more,
            )
        )
    return tr("every channel of every unit can be used; `wif channels test` sends a trial")


def _reminders(runtime: Runtime) -> str:
    """Who is reminded and when; whoever it is escalated to is a unit."""
    if runtime.settings.remind_after is None:
        return tr("nobody is reminded: WIF_REMIND_AFTER is not set")
    rules = publish_rules.configured_rules(runtime.settings)
    terms = reminders.terms_of(runtime.settings, rules)
    assert terms is not None  # noqa: S101 - somebody is reminded
    if terms.escalate_after is None:
        return tr("after {days} working days at {at}", days=terms.after, at=f"{terms.at:%H:%M}")
    if terms.escalate_to not in rules.units:
        raise CommandError(
            tr("WIF_ESCALATE_TO: no unit has the code {unit}", unit=terms.escalate_to)
        )
    return tr(
        "after {days} working days at {at}; after {later} also {unit}",
        days=terms.after,
        at=f"{terms.at:%H:%M}",
        later=terms.escalate_after,
        unit=terms.escalate_to,
    )


def _groups(runtime: Runtime) -> str:
    """Whether the groups that units have in `units.yaml` are there in TPS."""
    return doctor_groups.compare(runtime, _procedures(runtime))


def _mail(runtime: Runtime) -> str:
    with mail.mail_sender(runtime.settings) as sender:
        sender.check()
    if runtime.settings.smtp_url is None:
        return tr("no server set: messages are written as .eml files")
    return tr("the server lets us in")


def _smime(runtime: Runtime) -> str:
    """How long the certificate is good for that mails are signed with."""
    certificate = runtime.settings.smime_certificate
    if certificate is None:
        return tr("mails are not signed: WIF_SMIME_CERTIFICATE is not set")
    end = smime.expires_at(certificate)
    left = end - runtime.clock()
    if left < timedelta(0):
        raise CommandError(
            tr("the certificate expired on {day}: readers warn of every mail", day=f"{end:%F}")
        )
    if left < smime.EXPIRES_SOON:
        raise Advice(
            tr("the certificate expires on {day}: replace it and its key", day=f"{end:%F}")
        )
    return tr("mails are signed; the certificate is good until {day}", day=f"{end:%F}")


def _sent_log(runtime: Runtime) -> str:
    path = runtime.settings.sent_log
    if path is None:
        missing = tr("WIF_SENT_LOG is not set: a restore would send again what was sent since")
        if runtime.settings.in_production:
            raise Advice(missing)
        return missing
    sent_log.SentLog(path, runtime.audit.keys[0]).check()
    return tr("can be written")


def _secrets(runtime: Runtime) -> str:
    ages = list(secret_age.secret_ages(runtime.settings, runtime.clock()))
    old = [age for age in ages if age.days > runtime.settings.secret_max_age_days]
    if old:
        named = ", ".join(
            tr("{setting} is {days} days old", setting=age.setting, days=age.days) for age in old
        )
        raise Advice(tr("{named}: rotate it; docs/exploitation.md says how, for each", named=named))
    return tr(
        "{count} in files, none older than {most} days",
        count=len(ages),
        most=runtime.settings.secret_max_age_days,
    )


def _hints(runtime: Runtime) -> str:
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
    with tps_webhooks.client_of(runtime.settings) as client:
        return [
            number
            for number in numbers
            if any(not webhook.enabled for webhook in tps_webhooks.ours(client, number))
        ]
