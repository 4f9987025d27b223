"""A TPS in memory, for developers and newcomers: invented people, the real protocol.

It is no part of the service in production. It serves v1 as TPS did in 2018 and in
2021, from generated dossiers, and it can be told to fail in every way that TPS does.
"""

from simulator.dossier import SimulatedDossier, Truth
from simulator.faults import Fault, FaultKind
from simulator.form import SimulatedForm, sample_forms
from simulator.rendering import Era
from simulator.seen import Seen, TokenPlace
from simulator.server import Server
from simulator.simulator import Simulator
from simulator.standalone import run

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
