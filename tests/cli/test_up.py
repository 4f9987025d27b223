"""`wif up`: worker and beat as real processes on an embedded broker."""

import signal
import subprocess
from pathlib import Path

from connectors.tps.simulator import Server
from routing.forms import Form
from tests.processes import ROOT, WIF, clean_environment, until
from tests.stage import PARIS_FORM, Stage


def test_the_service_tells_of_what_is_there_and_of_what_comes_and_stops_when_told(
    stage: Stage, tps: Server, tmp_path: Path
) -> None:
    paris: Form = stage.form(PARIS_FORM)
    stage.tps.populate([paris], 60, oddities=False)
    environment = clean_environment(
        {
            "WIF_TPS_URL": tps.url,
            "WIF_TPS_TOKEN": tps.simulator.token,
            "WIF_DATABASE_URL": stage.runtime.settings.database,
            "WIF_VAR_DIR": str(tmp_path / "var"),
            "WIF_OUTBOX_DIR": str(stage.outbox),
            "WIF_TPS_PROCEDURES": str(PARIS_FORM),
            "WIF_POLL_INTERVAL": "1",
        }
    )
    with (tmp_path / "log").open("wb") as log:
        service = subprocess.Popen(
            [*WIF, "up", "--concurrency", "2"], env=environment, cwd=ROOT, stdout=log, stderr=log
        )
    try:
        until(lambda: len(list(stage.outbox.glob("*.eml"))) == 60, "60 mails")
        stage.tps.add(paris)
        until(lambda: len(list(stage.outbox.glob("*.eml"))) == 61, "the newcomer's mail")
    finally:
        service.send_signal(signal.SIGTERM)
        code = service.wait(60)
    assert code == 0
    states = {delivery.state for delivery in stage.deliveries()}
    assert states == {"sent"}
    assert len(stage.deliveries()) == 61
