"""A Celery app for the test of its logs: tasks that hold personal data and fail in every way.

`LOGS=open` leaves Celery's logging as it comes, for the control.
"""

import os
import signal
import smtplib
import sys
import time
from typing import Any
from urllib.parse import urlsplit

from celery import Celery
from celery.exceptions import Reject

from config.logs import get_logger
from routing.failures import Cause, Failure
from tasks.logs import LogFormat, connect_celery

if os.environ["LOGS"] != "open":
    connect_celery(lambda: LogFormat(json=os.environ["LOGS"] == "json", level="DEBUG"))

app = Celery("program", broker=os.environ["BROKER"])
app.conf.update(
    task_ignore_result=True,
    task_default_queue="poll",
    accept_content=["json"],
    worker_hijack_root_logger=False,
    worker_prefetch_multiplier=1,
    beat_schedule={
        "kanarienne": {
            "task": "wif.succeed",
            "schedule": 0.2,
            "args": ("Zoé Kanarienne",),
            "options": {"expires": 60},
        }
    },
)
log = get_logger("program")


@app.task(name="wif.succeed")
def succeed(who: str) -> str:
    log.info("task-ran", count=1)
    return who


@app.task(name="wif.fail")
def fail(who: str) -> None:
    raise ValueError(who)


@app.task(name="wif.fail-coded")
def fail_coded(who: str) -> None:
    try:
        int(who)
    except ValueError as error:
        raise Failure(Cause.TPS_TIMEOUT, status=504) from error


@app.task(name="wif.reject")
def reject(who: str) -> None:
    raise Reject(who, requeue=False)


@app.task(name="wif.retry", bind=True, max_retries=1)
def retry(self: Any, who: str) -> None:  # noqa: ANN401
    raise self.retry(exc=ValueError(who), countdown=0)


@app.task(name="wif.say")
def say(who: str) -> None:
    sys.stdout.write(f"{who}\n")
    sys.stderr.write(f"{who}\n")
    server = urlsplit(os.environ["SMTP"])
    with smtplib.SMTP(server.hostname or "", server.port or 0, timeout=10) as client:
        client.set_debuglevel(2)
        client.sendmail("wif@wif.example", "office@office.example", who.encode())


@app.task(name="wif.sleep", soft_time_limit=1)
def sleep(who: str) -> None:
    time.sleep(60)


@app.task(name="wif.die")
def die(who: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
