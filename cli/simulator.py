"""`wif tps-simulator`: a TPS of invented dossiers on a port, for developers and newcomers."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.lazy import lazy_imports
from simulator import Era, run
from simulator.tps import TOKEN

with lazy_imports():
    from cli import context, processes
    from config import ruleset


def tps_simulator(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port; 0 for any free one.")] = 8008,
    count: Annotated[int, typer.Option("--dossiers", min=0, help="Dossiers to generate.")] = 1000,
    era: Annotated[Era, typer.Option(help="Which TPS it is.")] = Era.Y2021,
    seed: Annotated[int, typer.Option(help="The same seed gives the same dossiers.")] = 1,
    token: Annotated[str, typer.Option(help="What opens it.")] = TOKEN,
) -> None:
    """Serve a simulated TPS of people who do not exist, with the procedures of the configuration.

    A developer's tool, no part of the service in production. `/_simulator/` adds, changes
    and deletes dossiers and switches faults.
    """
    processes.refuse_without_graphql()
    forms = tuple(ruleset.load_directory(context.settings().config_dir).forms.values())

    def announce(url: str) -> None:
        typer.echo(f"simulated TPS (a developer's tool): {url}")
        typer.echo(f"try: WIF_TPS_URL={url} WIF_TPS_TOKEN={token} wif run-once")

    run(host, port, count=count, forms=forms, era=era, seed=seed, token=token, announce=announce)
