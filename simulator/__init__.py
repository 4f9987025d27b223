"""A TPS in memory, for developers and newcomers: invented people, the real protocols.

It is no part of the service in production. From generated dossiers it serves v1 as TPS did
in 2018 and in 2021, and v2 as servers do today, and it can be told to fail in every way that
TPS does. `state` holds what there is, `v1/` and `v2/` answer, `server` speaks HTTP, `controls`
and `admin` change things.
"""

from simulator.dossier import SimulatedDossier, Truth
from simulator.faults import Fault, FaultKind
from simulator.form import SimulatedForm, sample_forms
from simulator.seen import Seen, TokenPlace
from simulator.simulator import Server, Simulator
from simulator.standalone import run
from simulator.v1.rendering import Era

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
