"""Of an exception only names and places of the program are shown."""

import linecache
import pickle
import sys
from types import TracebackType

import pytest
from billiard.einfo import ExceptionWithTraceback  # type: ignore[attr-defined]
from celery.utils.serialization import UnpickleableExceptionWrapper

from config.logs import get_logger
from config.logs.failure import described, places, type_name
from routing.failures import Cause, Failure
from routing.retries import delay
from tests.config.logs import canary
from tests.fixtures.logs import Output

log = get_logger("tests.config.logs")


def raised(error: BaseException) -> BaseException:
    """`error` as it is after it was raised here."""
    secret = canary.ALL
    with pytest.raises(type(error)) as caught:
        raise error
    assert secret
    return caught.value


def test_message_locals_arguments_and_source_stay_out(output: Output) -> None:
    try:
        try:
            int("kanarienne 0698765432")
        except ValueError as error:
            raise KeyError(canary.ALL) from error
    except KeyError:
        log.exception("poll-failed")
    assert canary.found(output.text) == []
    assert "KeyError" in output.text


def test_control_pythons_own_report_shows_them(capsys: pytest.CaptureFixture[str]) -> None:
    error = raised(KeyError(canary.ALL))
    sys.__excepthook__(type(error), error, error.__traceback__)
    assert canary.found(capsys.readouterr().err)


def test_a_coded_failure_shows_its_cause_and_the_peers_number() -> None:
    fields = described(raised(Failure(Cause.TPS_UNAVAILABLE, status=503)))
    assert fields["exception"] == "routing.failures.Failure"
    assert (fields["cause"], fields["status"]) == ("tps-unavailable", 503)


def test_the_code_is_found_behind_another_exception() -> None:
    error = RuntimeError(canary.ALL)
    error.__cause__ = Failure(Cause.MAIL_TIMEOUT)
    fields = described(error)
    assert fields["chain"] == ("routing.failures.Failure",)
    assert (fields["cause"], "status" in fields) == ("mail-timeout", False)


def test_a_failure_crosses_processes_with_its_code() -> None:
    sent = Failure(Cause.TPS_THROTTLED, retry_after=30, status=429)
    received = pickle.loads(pickle.dumps(sent))  # noqa: S301
    assert vars(received) == vars(sent)
    assert str(received) == str(sent)


def test_celerys_wrappers_are_looked_into() -> None:
    wrapped = UnpickleableExceptionWrapper("routing.failures", "Failure", (canary.ALL,), canary.ALL)
    carried = ExceptionWithTraceback(wrapped, None)
    assert described(carried)["exception"] == "routing.failures.Failure"
    made_up = UnpickleableExceptionWrapper(canary.WORD, canary.WORD, (canary.ALL,), canary.ALL)
    assert canary.found(str(described(made_up))) == []


def test_groups_and_circles_end() -> None:
    first, second = ValueError(canary.ALL), KeyError(canary.ALL)
    first.__context__, second.__context__ = second, first
    fields = described(BaseExceptionGroup(canary.ALL, [first, second]))
    assert fields["exception"] == "ExceptionGroup"
    assert fields["chain"] == ("ValueError", "KeyError")


def test_frames_of_our_own_code_are_named_and_others_are_not() -> None:
    with pytest.raises(TypeError) as caught:
        delay(1, lambda: 1 + canary.ALL)  # type: ignore[operator]
    (place,) = places(caught.value.__traceback__)
    file, line = place.split(":")
    assert file == "routing/retries.py"
    assert "jitter()" in linecache.getline(file, int(line))


def test_without_a_frame_of_ours_the_innermost_of_a_library_is_named() -> None:
    with pytest.raises(ValueError, match="Expecting") as caught:
        __import__("json").loads(canary.ALL)
    (place,) = places(caught.value.__traceback__)
    assert place.startswith("json/decoder.py:")


def test_a_frame_without_a_file_is_not_named() -> None:
    code = compile("1 / 0", f"<{canary.NAME}>", "exec")
    with pytest.raises(ZeroDivisionError) as caught:
        exec(code)  # noqa: S102
    trace = caught.value.__traceback__
    assert isinstance(trace, TracebackType)
    assert places(trace.tb_next) == ()


def test_a_class_made_while_running_is_shown_by_its_nearest_real_base() -> None:
    made = type(canary.WORD, (LookupError,), {"__module__": "builtins"})
    placed = type(canary.WORD, (Failure,), {"__module__": canary.WORD})
    assert type_name(made) == "LookupError"
    assert type_name(placed) == "routing.failures.Failure"


@pytest.mark.parametrize("nothing", [None, False, (), (None, None, None), "", 0])
def test_nothing_is_said_where_there_is_no_exception(nothing: object) -> None:
    assert described(nothing) == {}


def test_the_exception_being_handled_is_meant_by_true() -> None:
    try:
        int(canary.WORD)
    except ValueError:
        inside = described(exc_info=True)
    assert inside["exception"] == "ValueError"
    assert described(exc_info=True) == {}


def test_only_files_below_our_packages_count_as_ours() -> None:
    assert "where" not in described(raised(ValueError(canary.ALL)))
