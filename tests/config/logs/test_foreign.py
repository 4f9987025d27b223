"""Libraries log through the same allow-list: real messages of each, full of personal data."""

import asyncio
import gc
import importlib
import inspect
import logging
import threading
import warnings
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy
import tornado.httpserver
import tornado.ioloop
import tornado.netutil
import tornado.web
from celery.app.trace import LOG_FAILURE, LOG_RECEIVED, LOG_SUCCESS
from celery.worker.consumer import consumer
from kombu import Connection
from kombu.exceptions import OperationalError

from config.logs import bound
from config.logs.foreign import MESSAGES, MessageRule, logger_name
from store.engine import Database
from store.schema import upgrade
from tests.config.logs import canary
from tests.fixtures.logs import Configured, Output

TASK_ID = "0b2e9d1c-4a1f-4c7e-9b1e-0123456789ab"

LOGGERS = [
    "celery",
    "celery.task",
    "celery.redirected",
    "celery.worker.consumer.consumer",
    "celery.beat",
    "kombu.transport.redis",
    "amqp",
    "urllib3.connectionpool",
    "requests",
    "sqlalchemy.engine.Engine",
    "sqlalchemy.pool",
    "smtplib",
    "alembic.runtime.migration",
    "flower.command",
    "tornado.access",
    "tornado.application",
    "py.warnings",
    "asyncio",
    "multiprocessing",
    "pybreaker",
    "limits",
    canary.WORD,
    f"sqlalchemy.engine.Engine.{canary.WORD}",
]


@pytest.mark.parametrize("name", LOGGERS)
@pytest.mark.parametrize("level", [logging.DEBUG, 27])
def test_no_logger_shows_what_it_is_given(name: str, level: int, output: Output) -> None:
    logger = logging.getLogger(name)
    logger.setLevel(logging.DEBUG)
    logger.log(level, canary.ALL)
    logger.log(level, "%s", canary.ALL)
    logger.log(level, "%(who)s", {"who": canary.ALL})
    logger.log(level, ValueError(canary.ALL))
    logger.log(level, "x", extra={"data": canary.ALL}, stack_info=True)
    try:
        int(canary.WORD)
    except ValueError:
        logger.log(level, "x", exc_info=True)
    assert output.text.count("\n") == 6
    assert canary.found(output.text) == []
    logger.setLevel(logging.NOTSET)


EVERY_RULE = [(name, known) for name in MESSAGES for known in MESSAGES[name]]


def test_no_known_message_shows_what_it_is_given(output: Output) -> None:
    for name, message in EVERY_RULE:
        _log(name, message)
        assert message.event in output.text
        assert canary.found(output.text) == []


def _log(name: str, message: MessageRule) -> None:
    logger = logging.getLogger(name)
    logger.setLevel(logging.DEBUG)
    wanted = [field for field in message.fields if field]
    keys = [field.split(":")[0] for field in wanted if ":" in field]
    arguments: list[Any] = [dict.fromkeys(keys, canary.WORD)] if keys else [canary.WORD] * 9
    record = logger.makeRecord(
        name, logging.ERROR, __file__, 1, message.beginning, tuple(arguments), None
    )
    logger.handle(record)
    logger.setLevel(logging.NOTSET)


WRITTEN_IN = {
    "celery.beat": ("celery.apps.beat",),
    "celery.worker": ("celery.worker.worker",),
    "celery.worker.strategy": ("celery.app.trace",),
    "multiprocessing": ("billiard.process", "billiard.pool"),
    "uvicorn": ("uvicorn.protocols.http.h11_impl",),
}
"""The modules in which a logger's messages are written besides the one of its name."""

SEEN_BY_RUNNING = {"celery.redirected", "py.warnings"}
"""Loggers without a source to read: tests below and the worker's show their messages."""


def test_known_messages_are_those_of_the_installed_libraries() -> None:
    for name in MESSAGES.keys() - SEEN_BY_RUNNING:
        written_in = (name, *WRITTEN_IN.get(name, ()))
        source = "".join(inspect.getsource(importlib.import_module(each)) for each in written_in)
        for message in MESSAGES[name]:
            assert message.beginning in source, (name, message.beginning)


def test_celerys_own_templates_give_codes(logged: Output) -> None:
    context = {
        "id": TASK_ID,
        "name": "wif.poll-procedure",
        "args": canary.ALL,
        "kwargs": canary.ALL,
        "return_value": canary.ALL,
        "exc": canary.ALL,
        "description": "raised unexpected",
        "runtime": 0.25,
    }
    trace = logging.getLogger("celery.app.trace")
    logging.getLogger("celery.worker.strategy").info(LOG_RECEIVED, context, extra={"data": context})
    trace.info(LOG_SUCCESS, context, extra={"data": context})
    trace.error(LOG_FAILURE.strip(), context, extra={"data": context})
    logging.getLogger(consumer.__name__).error(
        vars(consumer)["UNKNOWN_TASK_ERROR"], canary.ALL, canary.ALL, {canary.WORD: 1}, {}
    )
    received, succeeded, failed, unregistered = logged.lines
    assert (received["event"], received["task"]) == ("task-received", "wif.poll-procedure")
    assert (succeeded["event"], succeeded["duration_ms"]) == ("task-succeeded", 250)
    assert (failed["event"], failed["task_id"]) == ("task-failed", TASK_ID)
    assert unregistered["event"] == "task-unregistered"
    assert canary.found(logged.text) == []


def test_an_unknown_message_says_where_it_was_written(logged: Output) -> None:
    from kombu.utils import div  # noqa: PLC0415

    place = Path(div.__file__)
    logger = logging.getLogger("kombu.utils.div")
    logger.handle(logger.makeRecord(logger.name, 30, str(place), 28, "dumped %s", (1,), None))
    line = logged.only("foreign-message")
    assert (line["where"], line["logger"]) == ("kombu/utils/div.py:28", "kombu.utils.div")


def test_context_is_bound_to_lines_of_libraries(logged: Output) -> None:
    with bound(procedure=13760):
        logging.getLogger("kombu").warning("lost %s", canary.ALL)
    assert logged.only("foreign-message")["procedure"] == 13760


def test_a_loggers_name_is_shown_as_far_as_it_is_a_module() -> None:
    assert logger_name("sqlalchemy.engine.Engine") == "sqlalchemy.engine"
    assert logger_name(canary.WORD) == "other"
    assert logger_name(None) == "other"


def test_a_level_of_somebodys_own_has_no_name(logged: Output) -> None:
    logging.addLevelName(23, canary.WORD)
    logging.getLogger("kombu").log(23, "x")
    assert logged.lines[0]["level"] == "info"


class _Api(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(503)
        self.end_headers()
        self.wfile.write(canary.ALL.encode())

    def log_message(self, *_: object) -> None:
        """The server of a test says nothing."""


@pytest.fixture
def api() -> Iterator[str]:
    """The address of a server that answers with personal data."""
    with HTTPServer(("127.0.0.1", 0), _Api) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _ask(api: str) -> None:
    with requests.Session() as session:
        session.get(f"{api}/dossiers", params={"token": canary.WORD, "nom": canary.NAME})


def test_requests_and_urllib3(api: str, output: Output) -> None:
    _ask(api)
    assert "urllib3.connectionpool" in output.text
    assert canary.found(output.text) == []


def test_control_urllib3_shows_the_query(
    api: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A client of TPS that lives longer than one test has put its filter there.
    monkeypatch.setattr(logging.getLogger("urllib3.connectionpool"), "filters", [])
    with caplog.at_level(logging.DEBUG):
        _ask(api)
    assert canary.found(caplog.text)


def _select(**options: Any) -> None:  # noqa: ANN401
    engine = sqlalchemy.create_engine("sqlite://", **options)
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("SELECT :who"), {"who": canary.ALL}).all()
        with pytest.raises(sqlalchemy.exc.OperationalError):
            connection.execute(sqlalchemy.text("SELECT kanarienne FROM nowhere"))
    engine.dispose()


@pytest.fixture
def sqlalchemy_loggers() -> Iterator[None]:
    """Puts back the handler and the levels that `echo` sets."""
    yield
    for name in list(logging.root.manager.loggerDict):
        if name.startswith("sqlalchemy."):
            logging.getLogger(name).handlers.clear()
            logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.mark.usefixtures("sqlalchemy_loggers")
def test_sqlalchemy_even_through_the_handler_that_it_brings(
    output: Output, capfd: pytest.CaptureFixture[str]
) -> None:
    _select(echo="debug", echo_pool="debug")
    assert "sqlalchemy.engine" in output.text
    assert "sqlalchemy.engine" in capfd.readouterr().out
    assert canary.found(output.text + "".join(capfd.readouterr())) == []


@pytest.mark.usefixtures("sqlalchemy_loggers")
def test_control_sqlalchemy_shows_parameters(capfd: pytest.CaptureFixture[str]) -> None:
    _select(echo="debug")
    assert canary.found(capfd.readouterr().out)


def test_alembic(tmp_path: Path, logged: Output) -> None:
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    upgrade(database)
    database.close()
    assert any(line["logger"] == "alembic.runtime.migration" for line in logged.lines)


def test_asyncio(output: Output) -> None:
    async def fail() -> None:
        raise ValueError(canary.ALL)

    async def main() -> None:
        task = asyncio.create_task(fail(), name=canary.NAME)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task
        gc.collect()
        asyncio.get_running_loop().call_soon(lambda: int(canary.ALL))
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(main())
    assert "asyncio/base_events.py" in output.text
    assert canary.found(output.text) == []


def test_warnings(output: Output) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        configured_show = warnings.showwarning
        warnings.warn(canary.ALL, ResourceWarning, stacklevel=1)
        assert configured_show is warnings.showwarning
    assert "python-warning" in output.text
    assert "ResourceWarning" in output.text
    assert canary.found(output.text) == []


class _Page(tornado.web.RequestHandler):
    def get(self) -> None:
        raise ValueError(canary.ALL)


def test_tornado_as_flower_uses_it(logged: Output) -> None:
    started = threading.Event()
    running: dict[str, Any] = {}

    async def serve() -> None:
        server = tornado.httpserver.HTTPServer(tornado.web.Application([(r"/.*", _Page)]))
        sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        running["port"] = sockets[0].getsockname()[1]
        running["loop"], running["stop"] = asyncio.get_running_loop(), asyncio.Event()
        started.set()
        await running["stop"].wait()
        server.stop()
        await server.close_all_connections()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    started.wait()
    _ask(f"http://127.0.0.1:{running['port']}")
    running["loop"].call_soon_threadsafe(running["stop"].set)
    thread.join()
    assert "tornado" in [line["logger"] for line in logged.lines]
    assert canary.found(logged.text) == []


def test_kombu_and_its_redis_client(redis_url: str, output: Output) -> None:
    wrong = redis_url.replace("redis://", f"redis://{canary.WORD}:{canary.PHONE}@")
    with Connection(wrong) as connection, pytest.raises(OperationalError) as caught:
        connection.ensure_connection(max_retries=1, interval_start=0)
    logging.getLogger("kombu.connection").error("%r", caught.value, exc_info=caught.value)
    assert canary.found(output.text) == []


def test_records_from_elsewhere_are_reduced_when_they_are_written(output: Output) -> None:
    raw = {"name": "kombu", "msg": "%s", "args": (canary.ALL,), "levelno": 30}
    logging.getLogger().handle(logging.makeLogRecord(raw))
    assert "foreign-message" in output.text
    assert canary.found(output.text) == []


def test_handlers_that_come_later_get_reduced_records(configured: Configured) -> None:
    seen: list[str] = []

    class Own(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(self.format(record) + repr(record.args) + repr(record.exc_info))

    with configured():
        logger = logging.getLogger("kombu.late")
        handler = Own()
        logger.addHandler(handler)
        logger.error("%s", canary.ALL, exc_info=ValueError(canary.ALL))
        logger.removeHandler(handler)
    assert canary.found("".join(seen)) == []
    assert seen[0].startswith("foreign-message")
