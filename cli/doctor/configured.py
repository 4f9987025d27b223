"""What `wif doctor` says of settings, rules and keys: nobody is asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from cli.command_error import CommandError
from cli.doctor.finding import Advice
from cli.lazy import lazy_imports
from config.messages import tr, trn
from routing.calendar import paris_day

with lazy_imports():
    from config import settings as config_settings
    from config import smime
    from service import (
        publish_rules,
        reminders,
        seal,
        secret_age,
    )
    from store import sent_log

if TYPE_CHECKING:
    from routing.ruleset import RuleSet
    from service.runtime import Runtime
    from service.secret_age import SecretAge


def check_settings(_runtime: Runtime) -> str:
    """Whether every `WIF_…` variable is a setting."""
    unknown = config_settings.unknown_settings()
    if unknown:
        raise CommandError(tr("; ").join(unknown))
    return tr("every WIF_… setting is known")


def check_rules(runtime: Runtime) -> str:
    """Whether the rule files have no mistakes."""
    publish_rules.configured_document(runtime.settings)
    return tr("the configuration has no mistakes")


def check_audit_key(runtime: Runtime) -> str:
    """Whether there is a key for references in the audit log."""
    return trn("{n} known", "{n} known", len(runtime.audit.keys))


def check_seal_key(runtime: Runtime) -> str:
    """Whether the audit log can be sealed, and where its first key is anchored."""
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


def check_signatures(runtime: Runtime) -> str:
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


def check_reminders(runtime: Runtime) -> str:
    """Who is reminded and when; that it is escalated to a unit; who is never reached."""
    if runtime.settings.remind_after is None:
        return tr("nobody is reminded: WIF_REMIND_AFTER is not set")
    rules = publish_rules.configured_rules(runtime.settings)
    terms = reminders.terms_of(runtime.settings, rules)
    assert terms is not None  # noqa: S101 - reminders are on
    if terms.escalate_to not in rules.units:
        raise CommandError(
            tr("WIF_ESCALATE_TO: no unit has the code {unit}", unit=terms.escalate_to)
        )
    said = list(_terms_in_words(terms, rules))
    unreached = reminders.units_without_mailbox(rules, paris_day(runtime.clock()))
    if unreached:
        without = trn(
            "{n} unit has no mailbox and gets none: {names}",
            "{n} units have no mailbox and get none: {names}",
            len(unreached),
            names=", ".join(unreached),
        )
        raise Advice(tr("; ").join([*said, without]))
    return tr("; ").join(said)


def _terms_in_words(terms: reminders.ReminderTerms, rules: RuleSet) -> Iterator[str]:
    yield trn(
        "after {n} working day at {at}",
        "after {n} working days at {at}",
        terms.after,
        at=f"{terms.at:%H:%M}",
    )
    if terms.escalate_after is None:
        return
    yield tr("after {later} also {unit}", later=terms.escalate_after, unit=terms.escalate_to)
    if own := sum(unit.escalate_to is not None for unit in rules.units.values()):
        yield trn("{n} unit has another `escalate_to`", "{n} units have another `escalate_to`", own)


def check_sent_log(runtime: Runtime) -> str:
    """Whether what is sent is kept outside the database."""
    path = runtime.settings.sent_log
    if path is None:
        missing = tr("WIF_SENT_LOG is not set: a restore would send again what was sent since")
        if runtime.settings.in_production:
            raise Advice(missing)
        return missing
    sent_log.SentLog(path, runtime.audit.keys[0]).check()
    return tr("can be written")


def check_secrets(runtime: Runtime) -> str:
    """Whether a secret is older than it may be."""
    ages = list(secret_age.secret_ages(runtime.settings, runtime.clock()))
    old = [age for age in ages if age.days > runtime.settings.secret_max_age_days]
    if old:
        named = ", ".join(_age_in_words(age) for age in old)
        raise Advice(tr("{named}: rotate it; docs/exploitation.md says how, for each", named=named))
    return trn(
        "{count} in files, none older than {n} day",
        "{count} in files, none older than {n} days",
        runtime.settings.secret_max_age_days,
        count=len(ages),
    )


def _age_in_words(age: SecretAge) -> str:
    return trn(
        "{setting} is {n} day old", "{setting} is {n} days old", age.days, setting=age.setting
    )
