"""The Celery application and its tasks: thin, each runs one use case.

A task takes ids and nothing else. Names are explicit so that a module can be moved
without changing what is on the wire.
"""

import logging
import os
from importlib import import_module
from typing import Any

from celery import Celery, Task, signals
from celery.loaders.app import AppLoader
from celery.worker import state
from kombu.exceptions import OperationalError

from config import logs
from config.settings import Environment, load
from connectors.channels import DEFAULT_CHANNEL
from service import queues, tps_webhooks, watch_health
from service import sweep as sweeping
from service.guards.limits import WORK_BUDGET
from service.mail_reports import mail_reports
from service.poll import PollOutcome, poll
from service.purge import purge
from service.reminders import queue_reminders
from service.request_count import add_requests
from service.rules_autoreload import ReloadOutcome, autoreload
from service.runtime import Runtime
from service.seal import seal
from service.secret_rotation import settings_now
from service.statistics.publish import publish_when_due
from tasks.logs import LogFormat, connect_celery
from tasks.ping import leave_note
from tasks.process import ProcessRuntime
from tasks.stopping import StopFlag, cut_off_later, raise_time_limit
from tasks.time_slice import deliver_slice, route_slice
from tasks.wakeups import Wakeups

WAKE_UP_EXPIRES_SECONDS = 300
"""A wake-up expires after this: the sweep has sent another one meanwhile."""

ANSWER_SECONDS = 1.0
"""How long workers have to say that they live."""


class WorkFailed(Exception):
    """The work of a task failed for a reason outside; its text is the code of the cause.

    Everything was stored, and what failed is due again on its own clock: this is said for those
    who watch Flower.
    """


class InstalledModules(AppLoader):
    """A loader that finds modules where Python does, and not in the working directory first."""

    def import_from_cwd(self, module: str, imp: Any = None, package: Any = None) -> Any:  # noqa: ANN401
        """The module, `celeryconfig` for one, from the path of modules."""
        return import_module(module, package)


app = Celery("wif", loader=InstalledModules)
app.config_from_object("celeryconfig")

log = logs.get_logger("tasks")

# Made before any child is forked, so that they all look at the same byte.
told_to_stop = StopFlag()


class CeleryWaker:
    """Wakes workers by messages. A broker that does not answer is no error: the next sweep retries.

    Args:
        wakeups: notes of the messages that wait.
        even_if_noted: send a message even if one is noted to wait: that one may be lost.
    """

    def __init__(self, wakeups: Wakeups, *, even_if_noted: bool = False) -> None:
        self._wakeups = wakeups
        self._even_if_noted = even_if_noted

    def poll(self, procedure: int) -> None:
        self._send(poll_procedure, procedure)

    def route(self, procedure: int) -> None:
        self._send(route_dossiers, procedure)

    def deliver(self, channel: str) -> None:
        self._send(make_deliveries, channel)

    def for_sweep(self) -> "CeleryWaker":
        """A waker that sends what this one holds to be sent already."""
        return CeleryWaker(self._wakeups, even_if_noted=True)

    def _send(self, task: Task[Any, None], *ids: int | str) -> None:
        if not self._wakeups.note(task.name, ids) and not self._even_if_noted:
            return
        try:
            task.apply_async(ids, expires=WAKE_UP_EXPIRES_SECONDS)
        except OperationalError:
            log.warning("wake-up-not-sent", task=task.name)


def _make_runtime() -> Runtime:
    made = Runtime(settings_now(), stopping=told_to_stop)
    made.waker = CeleryWaker(Wakeups(made.redis_state))
    made.alive = _alive
    return made


process = ProcessRuntime(_make_runtime)
runtime = process.get


def taken(task: str, *ids: int | str) -> Runtime:
    """The runtime, for a task that was woken; drops the note of its message."""
    made = runtime()
    Wakeups(made.redis_state).taken(task, ids)
    return made


def _form_of_logs() -> LogFormat:
    settings = load()
    return LogFormat(json=settings.env is Environment.PRODUCTION, level=settings.log_level)


connect_celery(_form_of_logs)


def _say_nothing(*_: object) -> None:
    """Stands for what Celery prints beside the logs; a handler of signals cannot log itself."""


@signals.celeryd_init.connect
@signals.beat_init.connect
def _keep_private(instance: Any = None, **_: Any) -> None:  # noqa: ANN401
    # What a worker or beat writes is readable by its user alone.
    os.umask(0o077)
    if instance is not None:
        # No banner between the lines of a log, and no word of Celery's when a worker is stopped.
        instance.quiet = True
        if _form_of_logs().json:
            vars(import_module("celery.apps.worker"))["safe_say"] = _say_nothing


@signals.worker_ready.connect
def _begin_at_once(**_: Any) -> None:  # noqa: ANN401
    # Beat's first tick comes a whole interval after its start.
    for task in (poll_due, sweep, check_health):
        task.apply_async(expires=WAKE_UP_EXPIRES_SECONDS, retry=False)


@signals.worker_shutting_down.connect
def _stop(**_: Any) -> None:  # noqa: ANN401
    told_to_stop.set()
    cut_off_later(_at_work)


def _at_work() -> list[int]:
    """The child processes that work on a task. For the main process of a worker."""
    working = {request.worker_pid for request in list(state.active_requests)}
    return sorted(working - {None, os.getpid()})


@signals.worker_process_init.connect
def _start_afresh(**_: Any) -> None:  # noqa: ANN401
    process.forget()


@signals.task_prerun.connect
def _limit_time(**_: Any) -> None:  # noqa: ANN401
    # At each task: the pool sets its own handler after it has told that a process started.
    raise_time_limit()


@signals.task_postrun.connect
def _count(**_: Any) -> None:  # noqa: ANN401
    if process.made is not None:
        add_requests(process.made)


@signals.worker_process_shutdown.connect
def _let_go(**_: Any) -> None:  # noqa: ANN401
    if process.made is not None:
        add_requests(process.made, now=True)
        process.made.close()


@app.task(name="wif.poll-due")
def poll_due() -> None:
    """Wake a poll of each procedure that is due."""
    sweeping.wake_due_polls(runtime())


@app.task(name="wif.poll-procedure", throws=(WorkFailed,))
def poll_procedure(procedure: int) -> None:
    """List what is new in one procedure."""
    with logs.bound(procedure=procedure):
        report = poll(taken(poll_procedure.name, procedure), procedure, only_due=True)
        # A poll without news is no news, and failures are counted once a minute for all.
        level = logging.INFO if report.new or report.changed else logging.DEBUG
        log.log(
            level,
            "procedure-polled",
            state=report.outcome.value,
            count=report.new,
            cause=report.cause,
        )
    if report.outcome is PollOutcome.RESTING:
        raise WorkFailed(report.outcome.value)
    if report.cause:
        raise WorkFailed(report.cause)


@app.task(name="wif.route-dossiers", throws=(WorkFailed,))
def route_dossiers(procedure: int) -> None:
    """Read, decide and settle what was just filed anywhere, then dossiers of one procedure."""
    report = route_slice(taken(route_dossiers.name, procedure), procedure)
    if report.more:
        runtime().waker.route(procedure)
    if report.cause:
        raise WorkFailed(report.cause)


@app.task(name="wif.deliver", throws=(WorkFailed,))
def make_deliveries(channel: str = DEFAULT_CHANNEL) -> None:
    """Make due deliveries on one channel."""
    report = deliver_slice(taken(make_deliveries.name, channel), channel)
    if report.claimed:
        log.info(
            "deliveries-made",
            channel=channel,
            count=report.sent,
            retried=report.retried,
            dead=report.dead,
        )
    if report.more:
        runtime().waker.deliver(channel)
    if report.cause:
        raise WorkFailed(report.cause)


@app.task(name="wif.sweep")
def sweep() -> None:
    """Wake workers for all that is due."""
    made = runtime()
    waker = made.waker
    sweeping.sweep(made, waker.for_sweep() if isinstance(waker, CeleryWaker) else waker)


@app.task(name="wif.check-health")
def check_health() -> None:
    """Open and close incidents, send alarms and the heartbeat."""
    made = runtime()
    report = watch_health.check(made, alive=made.alive())
    if report.opened or report.closed:
        log.warning("health-changed", count=report.opened, total=report.lasting)


def _alive() -> set[str]:
    """Beat, whose tick this is, and the queues that workers consume."""
    try:
        answers = app.control.inspect(timeout=ANSWER_SECONDS).active_queues() or {}
        served = {str(queue["name"]) for each in answers.values() for queue in each}
    except (OperationalError, OSError, KeyError, TypeError, AttributeError):
        served = set()
    return {"beat", *(served & set(queues.ALL))}


@app.task(name="wif.check-webhooks")
def check_webhooks() -> None:
    """Ask TPS whether the webhooks by which it tells us of dossiers are on."""
    tps_webhooks.watch(runtime())


@app.task(name="wif.ping")
def ping(token: int) -> None:
    """Leave a note for the sender that this message was consumed."""
    leave_note(runtime().redis_state, token)


@app.task(name="wif.purge")
def purge_dossiers() -> None:
    """Remove dossiers whose retention is over."""
    report = purge(runtime(), within=WORK_BUDGET)
    if report.dossiers:
        log.info("dossiers-purged", count=report.dossiers)


@app.task(name="wif.queue-reminders")
def remind_of_waiting() -> None:
    """Queue today's reminders of what waits beyond its working days."""
    queue_reminders(runtime())


@app.task(name="wif.publish-statistics")
def publish_statistics() -> None:
    """Publish the figures of months that are over."""
    report = publish_when_due(runtime(), within=WORK_BUDGET)
    if report.published:
        log.info("statistics-published", count=len(report.published))


@app.task(name="wif.mail-reports")
def mail_monthly_reports() -> None:
    """Mail the monthly reports on the first working day."""
    report = mail_reports(runtime())
    if report.queued or report.failed:
        log.warning("reports-mailed", count=report.sent, total=report.queued)


@app.task(name="wif.seal-audit")
def seal_audit() -> None:
    """Sign the audit entries that are final."""
    report = seal(runtime())
    if report.lines:
        log.info("audit-sealed", count=report.lines)


@app.task(name="wif.autoreload-rules")
def autoreload_rules() -> None:
    """Publish the rules of the folder when they changed; refuse them when they are wrong."""
    outcome = autoreload(runtime())
    if outcome in {ReloadOutcome.PUBLISHED, ReloadOutcome.REFUSED}:
        log.warning("rules-reloaded", state=outcome.value)
