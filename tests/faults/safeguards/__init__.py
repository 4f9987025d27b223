"""Safeguards, each with a way to do without it: the control of a scenario.

A scenario that passes proves little unless it fails where the safeguard that it is about
is missing. Each function here takes one away, in the way in which it has been missing
in services of this kind, from this process or from a worker that the harness starts.
"""

from collections.abc import Callable

import pytest

from tests.faults.safeguards.leases import (
    delivery_claims,
    dossier_claims,
    ending_leases,
    fencing,
    procedure_leases,
    work_budget,
)
from tests.faults.safeguards.polling import cursor_in_the_commit, sweep
from tests.faults.safeguards.sending import one_commit

Without = Callable[[pytest.MonkeyPatch], None]


BY_NAME: dict[str, Without] = {
    function.__name__: function
    for function in (
        cursor_in_the_commit,
        delivery_claims,
        dossier_claims,
        ending_leases,
        fencing,
        one_commit,
        procedure_leases,
        sweep,
        work_budget,
    )
}
"""Those that a worker process can be started without."""
