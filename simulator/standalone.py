"""The simulated TPS as a process of its own."""

import asyncio
import signal
from collections.abc import Callable, Sequence

from simulator.form import FormLike, sample_forms
from simulator.simulator import TOKEN, Server, Simulator
from simulator.v1.rendering import Era


def run(
    host: str = "127.0.0.1",
    port: int = 8008,
    *,
    count: int = 1000,
    forms: Sequence[FormLike] = (),
    era: Era | str = Era.Y2021,
    seed: int = 1,
    token: str = TOKEN,
    oddities: bool = True,
    announce: Callable[[str], object] = lambda _: None,
) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        host: the address to listen on.
        port: the port, 0 for any free one.
        count: how many dossiers to generate.
        forms: the forms that they are filed through; sample ones when there are none.
        era: which TPS it is.
        seed: the same seed gives the same dossiers.
        token: what opens it.
        oddities: whether some dossiers are odd or malformed.
        announce: gets the address once requests are answered.
    """
    simulator = Simulator(era=era, seed=seed, token=token)
    simulator.populate(forms or sample_forms(), count, oddities=oddities)
    server = Server(simulator, host=host, port=port)

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        serving = loop.create_task(server.serve(stop))
        loop.call_soon(announce, server.url)
        await serving

    asyncio.run(main())
