"""The end of `wif demo`: the public page of some past months, and how all pages are served."""

from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from cli.stats import write_page
from cli.tables import console
from config import settings as configuration
from config.messages import tr, trn
from routing.facts import DossierState
from routing.forms import Form
from service.publish_rules import configured_rules
from service.run_once import run_once
from service.runtime import Runtime
from service.statistics.publish import publish_when_due
from simulator import Simulator

HISTORY = 360
"""Dossiers of past months that offices have decided: nobody is told of them, statistics count
them."""

HISTORY_FORMS = 4
HISTORY_SPAN = timedelta(days=91)
HISTORY_ENDS = timedelta(days=40)
"""How long ago the last of them was filed: every month that has some is over."""


def show_pages(made: Runtime, tps: Simulator, url: str) -> None:
    """Leave the public page as a file, and say how all pages are served.

    Args:
        made: the demonstration's runtime.
        tps: its simulated TPS.
        url: where that is.
    """
    forms = list(configured_rules(made.settings).forms.values())[::2][:HISTORY_FORMS]
    _file_history(tps, forms)
    reader = _reader(made, tps, url, forms)
    with closing(reader):
        run_once(reader)
        published = len(publish_when_due(reader).published)
        text, _ = write_page(reader)
    settings = made.settings
    path = settings.outbox.with_name("stats.html")
    path.write_text(text, encoding="utf-8")
    out = console()
    out.print(
        trn(
            "{dossiers} dossiers that were decided in past months are counted, nobody is told "
            "of them: {n} month is public in {near}",
            "{dossiers} dossiers that were decided in past months are counted, nobody is told "
            "of them: {n} months are public in {near}",
            published,
            dossiers=HISTORY,
            near=_near(path),
        ),
        soft_wrap=True,
    )
    out.print(
        tr(
            "All pages: [bold]WIF_VAR_DIR={near} WIF_OPS_PASSWORD=demo-password wif serve[/],"
            " then http://{web_address}/stats and http://{web_private_address}/ops",
            near=_near(settings.var_dir),
            web_address=settings.web_address,
            web_private_address=settings.web_private_address,
        ),
        soft_wrap=True,
    )


def _file_history(tps: Simulator, forms: Sequence[Form]) -> None:
    """Let dossiers have been filed in past months, and decided some days later."""
    numbers = tps.populate(
        forms,
        HISTORY,
        until=tps.clock() - HISTORY_ENDS,
        every=HISTORY_SPAN / HISTORY,
        states=[state for state in DossierState if state.ended],
        oddities=False,
    )
    for turn, number in enumerate(numbers):
        # From the same day to two weeks: most within the target of five working days.
        taken = timedelta(days=turn * turn % 13 * (1 + turn % 3) // 3)
        tps.change(number, changed_at=tps.dossier(number).filed_at + taken)


def _reader(made: Runtime, tps: Simulator, url: str, forms: Sequence[Form]) -> Runtime:
    """The service in this process, for a few procedures."""
    settings = configuration.read(
        var_dir=made.settings.var_dir,
        outbox_dir=made.settings.outbox,
        log_level="WARNING",
        tps_url=url,
        tps_token=tps.token,
        tps_procedures=",".join(str(form.procedure) for form in forms),
    )
    return Runtime(settings)


def _near(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
