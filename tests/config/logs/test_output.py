"""Where lines go, in which form, and what becomes of exceptions that nobody catches."""

import io
import json
import logging
import os
import pty
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from config.logs import configure, get_logger
from tests.config.logs import canary
from tests.fixtures.logging_state import logging_restored
from tests.fixtures.logs import Configured, Output

ROOT = Path(__file__).resolve().parents[3]
log = get_logger("tests.config.logs")


def test_json_is_one_object_a_line(logged: Output) -> None:
    log.warning("dossier-routed", procedure=13760, number=7)
    (line,) = logged.lines
    assert line | {"timestamp": "", "pid": 0} == {
        "timestamp": "",
        "level": "warning",
        "logger": "tests.config.logs",
        "pid": 0,
        "event": "dossier-routed",
        "procedure": 13760,
        "number": 7,
    }
    assert line["timestamp"].endswith("+00:00")
    assert line["pid"] == os.getpid()


def test_people_read_columns_without_colour_where_there_is_no_terminal(
    configured: Configured,
) -> None:
    with configured(json=False) as output:
        log.warning("dossier-routed", procedure=13760)
    assert "[warning  ] dossier-routed" in output.text
    assert "procedure=13760" in output.text
    assert "\x1b" not in output.text


def test_a_terminal_gets_colours() -> None:
    reader, writer = pty.openpty()
    with logging_restored(), open(writer, "w", encoding="utf-8") as terminal:  # noqa: PTH123
        configure(json=False, level="INFO", stream=terminal)
        log.warning("dossier-routed")
        assert b"\x1b[" in os.read(reader, 4096)
    os.close(reader)


def test_lines_below_the_level_are_not_written(configured: Configured) -> None:
    with configured(level="WARNING") as output:
        log.info("dossier-routed")
        logging.getLogger("kombu").info("x")
        log.warning("dossier-unrouted")
    assert [line["event"] for line in output.lines] == ["dossier-unrouted"]


def test_configured_twice_writes_once(configured: Configured) -> None:
    first = io.StringIO()
    with logging_restored():
        configure(json=True, level="INFO", stream=first)
        with configured() as second:
            log.info("dossier-routed")
    assert first.getvalue() == ""
    assert len(second.lines) == 1


def test_a_line_that_cannot_be_written_shows_nothing_of_what_is_being_handled(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with logging_restored():
        configure(json=True, level="INFO", stream=_Refusing())
        _log_while_handling_personal_data()
    shown = capfd.readouterr().err
    assert "log-line-lost" in shown
    assert canary.found(shown) == []


def test_control_logging_shows_what_is_being_handled(capfd: pytest.CaptureFixture[str]) -> None:
    with logging_restored():
        logging.raiseExceptions = True
        logging.getLogger().handlers[:] = [logging.StreamHandler(_Refusing())]
        _log_while_handling_personal_data()
    assert canary.found(capfd.readouterr().err)


class _Refusing(io.StringIO):
    def write(self, text: str) -> int:
        raise RuntimeError("reentrant call")


def _log_while_handling_personal_data() -> None:
    try:
        int(canary.ALL)
    except ValueError:
        logging.getLogger("tornado.access").warning("%d %s", 404, canary.ALL)


def test_a_file_can_be_named(tmp_path: Path) -> None:
    file = tmp_path / "wif.log"
    with logging_restored():
        configure(json=True, level="INFO", file=file)
        log.info("dossier-routed")
        logging.getLogger().handlers[0].close()
    assert json.loads(file.read_text())["event"] == "dossier-routed"


def test_loggers_that_had_handlers_write_once_through_ours(configured: Configured) -> None:
    seen = io.StringIO()
    logger = logging.getLogger("kombu.early")
    logger.addHandler(logging.StreamHandler(seen))
    logger.propagate = False
    with configured() as output:
        logger.warning(canary.ALL)
    assert len(output.lines) == 1
    assert seen.getvalue() == ""


def test_a_silenced_logger_stays_silent(configured: Configured) -> None:
    logger = logging.getLogger("kombu.silent")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    with configured() as output:
        logger.warning(canary.ALL)
    assert output.text == ""


def test_a_logger_that_keeps_to_itself_is_written_all_the_same(configured: Configured) -> None:
    with configured() as output:
        logger = logging.getLogger("multiprocessing.late")
        logger.propagate = False
        logger.warning(canary.ALL)
    assert len(output.lines) == 1


PREAMBLE = """
import asyncio, atexit, faulthandler, gc, sys, threading, warnings
from config.logs import configure
if "configured" in sys.argv:
    configure(json="json" in sys.argv, level="DEBUG")
secret = "Kanarienne"
"""

CRASHES = {
    "main": "raise ValueError(secret + ' 0698765432')",
    "chained": """
        try:
            {}[secret]
        except KeyError as error:
            raise RuntimeError(secret) from error
        """,
    "thread": """
        thread = threading.Thread(target=lambda: int(secret), name=secret)
        thread.start()
        thread.join()
        """,
    "finaliser": """
        class Kanarienne:
            def __del__(self):
                raise ValueError(secret)
        kept = Kanarienne()
        del kept
        """,
    "at exit": "atexit.register(int, secret)",
    "asyncio": """
        async def main():
            asyncio.get_running_loop().call_soon(int, secret)
            await asyncio.sleep(0.01)
        asyncio.run(main())
        """,
    "warning": "warnings.warn(secret)",
    "group": "raise ExceptionGroup(secret, [ValueError(secret)])",
    "note": """
        error = ValueError()
        error.add_note(secret)
        raise error
        """,
    "syntax": "compile('Kanarienne =', secret, 'exec')",
}


def _crash(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = PREAMBLE + textwrap.dedent(code)
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("name", CRASHES)
def test_what_nobody_catches_is_told_by_type_only(name: str, form: str) -> None:
    ended = _crash(CRASHES[name], "configured", form)
    told = ended.stdout + ended.stderr
    assert canary.found(told) == []
    assert sum("debug" not in line for line in told.splitlines()) == 1
    assert "Error" in told or "Warning" in told or "Group" in told


@pytest.mark.parametrize("name", CRASHES)
def test_control_python_shows_the_value(name: str) -> None:
    ended = _crash(CRASHES[name])
    assert canary.found(ended.stderr)


def test_an_uncaught_exception_still_ends_with_status_1() -> None:
    assert _crash(CRASHES["main"], "configured", "json").returncode == 1


def test_the_interrupt_of_an_operator_is_no_error() -> None:
    ended = _crash("raise KeyboardInterrupt", "configured", "json")
    assert json.loads(ended.stderr)["event"] == "program-interrupted"


def test_a_fatal_signal_shows_names_of_functions_only() -> None:
    ended = _crash("faulthandler.enable()\nfaulthandler._sigsegv()", "configured", "json")
    assert "Fatal Python error" in ended.stderr
    assert canary.found(ended.stderr) == []


def test_a_line_that_cannot_be_written_does_not_stop_the_work(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    with logging_restored():
        configure(json=True, level="INFO", stream=Full())
        log.info("dossier-routed", number=1, who=canary.NAME)
        logging.getLogger("kombu").error("%s", canary.ALL)
    assert canary.found(capsys.readouterr().err) == []


def _json(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_threads_do_not_mix_lines() -> None:
    code = """
        from config.logs import get_logger
        log = get_logger("x")
        def work():
            for number in range(1, 200):
                log.info("dossier-routed", number=number)
        threads = [threading.Thread(target=work) for _ in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        """
    lines = _json(_crash(code, "configured", "json").stderr)
    assert len(lines) == 8 * 199
