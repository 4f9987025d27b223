"""Celery's settings, each with the reason for its value.

Messages are only wake-ups: the database says what is due. So losing a message may cost
time but never work, and nothing here is asked to be more reliable than Redis can be.
"""

import math
import os
import sys

from kombu import Exchange, Queue

from config.broker_url import through_sentinel
from config.settings import SettingsError, load
from service import queues
from service.guards import limits
from tasks import router
from tasks.schedule import beat_entries

try:
    _settings = load()
    _broker_url = _settings.require_broker()
except SettingsError as error:
    sys.exit(str(error))  # one line for each mistake, where Celery would show a traceback

limits.check()

# --- broker -------------------------------------------------------------------------------

# What every Celery user expects where nothing is set; `wif up` brings an embedded server.
broker_url = _broker_url or "redis://127.0.0.1:6379/0"
_sentinels = through_sentinel(broker_url)
broker_connection_retry_on_startup = True
# Without these a worker whose connection is half open stays deaf for ever: it was never
# seen to recover in 150 s, and recovers in 12 s with them.
broker_transport_options = {
    "visibility_timeout": int(limits.VISIBILITY_TIMEOUT.total_seconds()),
    "socket_timeout": 5,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 10,
    # How soon the message of a killed worker is looked for: 91 s by default, 11 s so.
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    # Queues of this service only, in a database that others may use too.
    "global_keyprefix": "wif:",
}
if _sentinels:
    broker_url = _sentinels.celery_url
    broker_transport_options |= _sentinels.celery_options(seconds=2)
# A task that wakes another must not wait for a broker that is away: the sweep will do it.
task_publish_retry = False

# --- messages -----------------------------------------------------------------------------

task_serializer = "json"
event_serializer = "json"
accept_content = ["json"]  # never pickle: a message must not be able to run code
# Nothing is returned, so nothing can leak from a result backend; its connection would also
# bring back the 120 s of deafness that the socket options above take away.
result_backend = None
task_ignore_result = True
task_store_errors_even_if_ignored = False

# --- queues -------------------------------------------------------------------------------

# Each with its own exchange: on a shared one a message would go into all of them.
task_queues = [Queue(name, Exchange(name), routing_key=name) for name in queues.ALL]
task_default_queue = queues.UPKEEP
task_create_missing_queues = False  # a misspelt queue is an error, not a place nobody reads
task_routes = [
    router.queue_of_delivery,
    {
        "wif.poll-procedure": {"queue": queues.POLL},
        "wif.check-webhooks": {"queue": queues.POLL},
        "wif.route-dossiers": {"queue": queues.ROUTE},
        # Not upkeep: it may take minutes, and nothing may keep health and sweep waiting.
        "wif.purge": {"queue": queues.ROUTE},
        "wif.mail-reports": {"queue": queues.DELIVER},
    },
]

# A queue for each worker, besides those that all share: `wif ping` asks one of them whether it
# consumes.
worker_direct = True

# --- execution ----------------------------------------------------------------------------

# Acknowledged after the work, and handed out again when a worker dies: a wake-up that was
# cut off is repeated at once instead of at the next sweep.
task_acks_late = True
task_reject_on_worker_lost = True
# Without this a task that kills its worker is handed out for ever; attempts are counted in
# the database, because a process that dies counts nowhere else.
task_retry_on_worker_lost = True
# A task that ran out of time is acknowledged: redelivering it at once ran it 5 times in 16 s.
task_acks_on_failure = True
task_acks_on_timeout = True
task_soft_time_limit = limits.SOFT_TIME_LIMIT.total_seconds()
task_time_limit = limits.HARD_TIME_LIMIT.total_seconds()
# One worker hoarded four of five tasks beside an idle one with the default of 4.
worker_prefetch_multiplier = 1
worker_disable_prefetch = True
task_track_started = False

# --- workers ------------------------------------------------------------------------------

# A third of a process's time is waiting, for TPS, for a mail server, for the disk: with one for
# each core a machine idles for a part of the time, with two they get into each other's way.
_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
worker_concurrency = math.ceil(1.5 * _cores)
# Finish what is claimed when told to stop, also when nothing runs at that moment.
worker_soft_shutdown_timeout = limits.SOFT_SHUTDOWN.total_seconds()
worker_enable_soft_shutdown_on_idle = True
worker_hijack_root_logger = False  # our own logging is set up by a signal, with its allow-list
worker_redirect_stdouts = False
worker_send_task_events = True  # for Flower
task_send_sent_event = False
# Memory that a library leaks is given back once in a while; the figure is not critical.
worker_max_tasks_per_child = 5_000
worker_cancel_long_running_tasks_on_connection_loss = False  # claims are in the database

# --- schedule -----------------------------------------------------------------------------

# UTC and plain intervals: in Europe/Paris a crontab has holes when the clock changes.
timezone = "UTC"
enable_utc = True
# Without a file: a corrupt one kills beat, and two beats on one file tick twice anyway.
# Ticks that come twice have one effect, because every task claims what it works on.
beat_scheduler = "celery.beat:Scheduler"
beat_schedule = beat_entries(_settings)
beat_max_loop_interval = 10
