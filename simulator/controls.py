"""A simulated TPS with every way to change it and to let it fail."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from simulator.faults import Fault, FaultKind, fault
from simulator.filing import Filing
from simulator.state import Group, Procedure, changed
from simulator.v1.rendering import Era


class Controls(Filing):
    """A TPS whose agents and administrators act, and whose machines fail."""

    @property
    def era(self) -> Era:
        """Which TPS of v1 it is."""
        return self.v1.style.era

    @property
    def pages_claimed(self) -> dict[int, Callable[[int, int], int]]:
        """By procedure: what lists of v1 say that they have, given the page asked for and the
        truth."""
        return self.v1.pages_claimed

    @property
    def selected(self) -> set[str]:
        """Every field that v2 was asked for, as `Type.field`."""
        return self.v2.selected

    def delete(self, number: int) -> None:
        """Delete a dossier: it is listed no more, and its detail is not found."""
        with self.lock:
            self.state.delete(number, self.clock())

    def hide(self, number: int) -> None:
        """Delete a dossier in a way that can be undone; v1 shows no difference."""
        with self.lock:
            self.state.hide(number, self.clock())

    def restore(self, number: int) -> None:
        """Undo `hide`."""
        with self.lock:
            self.state.restore(number, self.clock())

    def expire(self, number: int) -> None:
        """Let a dossier go that v2 does not list as deleted."""
        with self.lock:
            self.state.drop(number)

    def rename_label(self, old: str, new: str, *, procedure: int | None = None) -> None:
        """Rename a label overnight, of one form or of all: a revision is published."""
        with self.lock:
            if procedure is None:
                self.state.labels = changed(self.state.labels, old, new)
            for known in self._of(procedure):
                known.revise(labels=changed(known.active.labels, old, new))

    def replace_field(self, label: str, new_id: int, *, procedure: int) -> None:
        """Take a field away and make it anew: dossiers filed from now on have it by another id.

        Args:
            label: that it was first published with.
            new_id: its stable id from now on.
            procedure: id of the form.
        """
        with self.lock:
            for known in self._of(procedure):
                known.revise(ids=tuple({**dict(known.active.ids), label: new_id}.items()))

    def retype_field(self, label: str, kind: str, *, procedure: int | None = None) -> None:
        """Give a field another type, such as `departements`: a revision is published."""
        with self.lock:
            for known in self._of(procedure):
                known.revise(kinds=tuple({**dict(known.active.kinds), label: kind}.items()))

    def add_group(self, procedure: int, label: str, *, closed: bool = False) -> int:
        """Make a *groupe d'instructeurs* of a form, and give its number."""
        with self.lock:
            groups = self.state.procedures[procedure].groups
            groups.append(Group(groups[-1].number + 1, label, closed))
            return groups[-1].number

    def close_group(self, procedure: int, number: int) -> None:
        """Close a group of a form: nothing can be moved to it any more."""
        with self.lock:
            groups = self.state.procedures[procedure].groups
            groups[:] = [replace(e, closed=e.closed or e.number == number) for e in groups]

    def choose_group(self, number: int, group: int) -> None:
        """Let an agent move a dossier to a group."""
        with self.lock:
            moved = replace(self.dossier(number), group=group, changed_at=self.clock())
            self.state.keep(moved)

    def group_of(self, number: int) -> int:
        """The number of the *groupe d'instructeurs* that has a dossier."""
        with self.lock:
            return self.state.home(number).group_of(self.dossier(number)).number

    def fail_detail(self, number: int, how: Fault | FaultKind | int = 500) -> None:
        """Let the detail of one dossier fail; a number is a status with an HTML page.

        A page of v2 lacks what the detail would show.
        """
        self.faults.details[number] = fault(how)

    def fail_procedure(self, procedure: int, how: Fault | FaultKind | int = 401) -> None:
        """Let everything of one procedure fail."""
        self.faults.procedures[procedure] = fault(how)

    def fail_all(self, how: Fault | FaultKind | int = 503) -> None:
        """Let everything fail."""
        self.faults.everything = fault(how)

    def throttle(self, retry_after: int | str, *, times: int | None = None) -> None:
        """Answer 429 with `Retry-After`: seconds, or a date as HTTP writes it."""
        headers = {"Retry-After": str(retry_after)}
        self.fail_all(Fault(kind=FaultKind.TEXT, status=429, headers=headers, times=times))

    def heal(self) -> None:
        """End every fault."""
        self.faults.clear()

    def detail(self, procedure: int, number: int) -> bytes | None:
        """The answer of v1 to a GET of a dossier, None when it is not found."""
        with self.lock:
            return self.v1.detail(procedure, number)

    def listing(self, procedure: int, query: Mapping[str, str]) -> bytes | None:
        """The answer of v1 to a GET of a list, None when the procedure is not found."""
        with self.lock:
            return self.v1.listing(procedure, query)

    def _of(self, procedure: int | None) -> list[Procedure]:
        known = self.state.procedures
        return list(known.values()) if procedure is None else [known[procedure]]
