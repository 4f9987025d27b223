"""A TPS in memory, for developers and newcomers: invented people, the real protocol.

It is no part of the service in production. It serves v1 as TPS did in 2018 and in
2021, from generated dossiers, and it can be told to fail in every way that TPS does.
"""

from connectors.tps.simulator.dossier import SimulatedDossier, Truth
from connectors.tps.simulator.faults import Fault, FaultKind
from connectors.tps.simulator.form import SimulatedForm, sample_forms
from connectors.tps.simulator.rendering import Era
from connectors.tps.simulator.seen import Seen, TokenPlace
from connectors.tps.simulator.server import Server
from connectors.tps.simulator.simulator import Simulator
from connectors.tps.simulator.standalone import run

__all__ = [
    "Era",
    "Fault",
    "FaultKind",
    "Seen",
    "Server",
    "SimulatedDossier",
    "SimulatedForm",
    "Simulator",
    "TokenPlace",
    "Truth",
    "run",
    "sample_forms",
]
