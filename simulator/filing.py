"""A simulated TPS in which dossiers are filed and changed."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from routing.facts import DossierState
from simulator.changes import changed, filed
from simulator.dossier import SimulatedDossier
from simulator.form import FormLike, SimulatedForm
from simulator.generation import STATES, Generator
from simulator.tps import Tps


class Filing(Tps):
    """A TPS whose users file dossiers, and change them."""

    def open(self, *forms: FormLike) -> None:
        """Open forms, still without dossiers. One that is open stays as it is."""
        with self.lock:
            for form in forms:
                self.state.open(form)

    def populate(
        self,
        forms: Iterable[FormLike],
        count: int,
        *,
        until: datetime | None = None,
        every: timedelta = timedelta(minutes=7),
        states: Iterable[DossierState] = STATES,
        oddities: bool = True,
    ) -> list[int]:
        """Let `count` dossiers be filed, through `forms` in turn, and give their numbers.

        Args:
            forms: opened as well.
            count: how many.
            until: when the last one is filed; now when not given.
            every: between two.
            states: the states that they are in, in turn.
            oddities: whether some are odd: filed in the wrong form, blank, unknown, abroad,
                contradictory, malformed.
        """
        drafts = Generator(self.seed, en_dash=self.en_dash, oddities=oddities)
        cycle, last = list(states), until or self.clock()
        with self.lock:
            opened = [self.state.open(form) for form in forms]
            begin, numbers = len(self), []
            for turn in range(count):
                known = opened[turn % len(opened)]
                # Every form gets every type, however many forms there are.
                variant = turn % len(opened) + turn // len(opened)
                filed_at = last - every * (count - 1 - turn)
                dossier = filed(
                    drafts.draft(known.form, begin + turn, variant=variant),
                    form=known.form,
                    number=self._next_number(),
                    state=cycle[turn % len(cycle)],
                    filed_at=filed_at,
                    changed_at=filed_at,
                    revision=known.active.index,
                )
                self.state.keep(dossier)
                numbers.append(dossier.number)
            return numbers

    def add(
        self,
        form: FormLike | int | None = None,
        *,
        number: int | None = None,
        state: DossierState | str = DossierState.INITIATED,
        filed_at: datetime | None = None,
        changed_at: datetime | None = None,
        commits_after: timedelta = timedelta(0),
        **particulars: Any,  # noqa: ANN401
    ) -> SimulatedDossier:
        """File one ordinary dossier.

        Args:
            form: its form, or the id of an open one; the first open one when not given.
            number: its number; the next one when not given.
            state: its state.
            filed_at: instant of deposit; now when not given.
            changed_at: instant of the last change; that of deposit when not given.
            commits_after: how long the database takes to show it.
            particulars: other attributes of `SimulatedDossier`, in place of generated ones. A
                `department` or a `permit_type` also changes the answers that show it.
        """
        with self.lock:
            known = self.state.open(self._form(form))
            drafts = Generator(self.seed, en_dash=self.en_dash, oddities=False)
            at = filed_at or self.clock()
            dossier = filed(
                drafts.draft(known.form, len(self), variant=0),
                form=known.form,
                number=self._next_number() if number is None else number,
                state=DossierState(state),
                filed_at=at,
                changed_at=changed_at or at,
                revision=known.active.index,
            )
            if dossier.number in self.state.places:
                raise ValueError(f"there is a dossier {dossier.number} already")
            made = changed(dossier, particulars, en_dash=self.en_dash)
            self._commit(made, commits_after)
            return made

    def change(
        self,
        number: int,
        *,
        commits_after: timedelta = timedelta(0),
        **changes: Any,  # noqa: ANN401
    ) -> SimulatedDossier:
        """Change attributes of a dossier; `changed_at` becomes now unless it is given.

        A new `department` or `permit_type` also changes the answers that show it. The database
        shows the change after `commits_after`, and the instant of the change is earlier then.
        """
        with self.lock:
            before = self.dossier(number)
            moved = {"changed_at": max(self.clock(), before.changed_at), **changes}
            after = changed(before, moved, en_dash=self.en_dash)
            self._commit(after, commits_after)
            return after

    def _commit(self, dossier: SimulatedDossier, after: timedelta) -> None:
        if after:
            self.uncommitted.append((self.clock() + after, dossier))
        else:
            self.state.keep(dossier)

    def _form(self, form: FormLike | int | None) -> FormLike:
        known = self.state.procedures
        if form is None:
            if not known:
                raise LookupError("no form is open: name one")
            return next(iter(known.values())).form
        if not isinstance(form, int):
            return form
        return known[form].form if form in known else SimulatedForm(form, "75")

    def _next_number(self) -> int:
        return next(number for number in self.numbers if number not in self.state.places)
