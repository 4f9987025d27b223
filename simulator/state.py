"""What the simulated TPS holds: forms with their revisions and groups, dossiers, deletions."""

from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from simulator.dossier import SimulatedDossier
from simulator.form import FormLike

Moment = tuple[datetime, int]
"""A place in an order by time: an instant and, among equals, the number of a dossier."""

Names = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Revision:
    """A published state of a form. Fields go by the label that they were first published with.

    Attributes:
        index: 0 for the first.
        labels: labels that are others now.
        ids: stable ids of fields that were taken away and made anew.
        kinds: types that are others now.
    """

    index: int = 0
    labels: Names = ()
    ids: tuple[tuple[str, int], ...] = ()
    kinds: Names = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A *groupe d'instructeurs*: the agents of one office."""

    number: int
    label: str
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Deletion:
    """A dossier that was deleted, and when."""

    dossier: SimulatedDossier
    at: datetime


@dataclass(slots=True)
class Deletions:
    """Deleted dossiers of a form, in the order in which they were deleted."""

    by_number: dict[int, Deletion] = field(default_factory=dict)
    order: list[Moment] = field(default_factory=list)

    def put(self, deletion: Deletion) -> None:
        """List a deletion."""
        number = deletion.dossier.number
        self.by_number[number] = deletion
        insort(self.order, (deletion.at, number))

    def take(self, number: int) -> Deletion:
        """List it no more, and give it.

        Raises:
            KeyError: it is not listed.
        """
        found = self.by_number.pop(number)
        self.order.remove((found.at, number))
        return found


@dataclass(slots=True)
class Procedure:
    """A form, and all that was filed through it.

    Attributes:
        form: the form.
        revisions: of the form; the last one is active.
        groups: of instructors; the first one takes what nobody moves.
        dossiers: by number, in the order in which they were last written.
        by_deposit: the dossiers in the order of their deposit.
        by_change: the dossiers in the order of their last change.
        deleted: for good.
        hidden: deleted by a person who may still undo it.
    """

    form: FormLike
    revisions: list[Revision] = field(default_factory=lambda: [Revision()])
    groups: list[Group] = field(default_factory=list)
    dossiers: dict[int, SimulatedDossier] = field(default_factory=dict)
    by_deposit: list[Moment] = field(default_factory=list)
    by_change: list[Moment] = field(default_factory=list)
    deleted: Deletions = field(default_factory=Deletions)
    hidden: Deletions = field(default_factory=Deletions)

    @property
    def active(self) -> Revision:
        """The revision with which people file now."""
        return self.revisions[-1]

    def shown(self, dossier: SimulatedDossier) -> Revision:
        """What a dossier's form looks like: today's labels, the fields of when it was filed."""
        return replace(self.active, ids=self.revisions[dossier.revision].ids)

    def group_of(self, dossier: SimulatedDossier) -> Group:
        """The group that has a dossier."""
        found = (group for group in self.groups if group.number == dossier.group)
        return next(found, self.groups[0])

    def revise(self, **changes: object) -> None:
        """Publish a revision."""
        self.revisions.append(
            replace(self.active, index=len(self.revisions), **changes)  # type: ignore[arg-type]
        )

    def keep(self, dossier: SimulatedDossier) -> None:
        """Have a dossier, in each order at its place."""
        self.dossiers[dossier.number] = dossier
        insort(self.by_deposit, (dossier.filed_at, dossier.number))
        insort(self.by_change, (dossier.changed_at, dossier.number))

    def drop(self, number: int) -> SimulatedDossier:
        """Have a dossier no more, and give it.

        Raises:
            KeyError: there is none of that number.
        """
        dossier = self.dossiers.pop(number)
        self.by_deposit.remove((dossier.filed_at, number))
        self.by_change.remove((dossier.changed_at, number))
        return dossier


@dataclass(slots=True)
class State:
    """Every form, and which one each dossier was filed through.

    Attributes:
        procedures: by id.
        places: for the number of a dossier the id of its form.
        labels: labels that were renamed in every form, whenever it is opened.
    """

    procedures: dict[int, Procedure] = field(default_factory=dict)
    places: dict[int, int] = field(default_factory=dict)
    labels: Names = ()

    def open(self, form: FormLike) -> Procedure:
        """The form, opened if it was not."""
        known = self.procedures.get(form.procedure)
        if known is None:
            first = Revision(labels=self.labels)
            group = Group(form.procedure * 10 + 1, "défaut")
            known = Procedure(form, revisions=[first], groups=[group])
            self.procedures[form.procedure] = known
        return known

    def home(self, number: int) -> Procedure:
        """The form through which a dossier was filed that is neither deleted nor hidden.

        Raises:
            KeyError: there is no such dossier.
        """
        return self.procedures[self.places[number]]

    def dossier(self, number: int) -> SimulatedDossier:
        """A dossier that is neither deleted nor hidden.

        Raises:
            KeyError: there is none of that number.
        """
        return self.home(number).dossiers[number]

    def keep(self, dossier: SimulatedDossier) -> None:
        """Have a dossier in place of the one of its number."""
        if dossier.number in self.places:
            self.drop(dossier.number)
        self.procedures[dossier.form.procedure].keep(dossier)
        self.places[dossier.number] = dossier.form.procedure

    def drop(self, number: int) -> SimulatedDossier:
        """Have a dossier no more, and give it.

        Raises:
            KeyError: there is none of that number.
        """
        dropped = self.home(number).drop(number)
        del self.places[number]
        return dropped

    def delete(self, number: int, at: datetime) -> None:
        """Delete a dossier for good, a hidden one as well.

        Raises:
            KeyError: there is none of that number.
        """
        hidden = self.hider(number)
        home = hidden or self.home(number)
        dossier = hidden.hidden.take(number).dossier if hidden else self.drop(number)
        home.deleted.put(Deletion(dossier, at))

    def hide(self, number: int, at: datetime) -> None:
        """Delete a dossier in a way that can be undone.

        Raises:
            KeyError: there is none of that number.
        """
        self.home(number).hidden.put(Deletion(self.drop(number), at))

    def restore(self, number: int, at: datetime) -> None:
        """Undo the deletion of a hidden dossier, which counts as a change.

        Raises:
            KeyError: it is not hidden.
        """
        hider = self.hider(number)
        if hider is None:
            raise KeyError(number)
        self.keep(replace(hider.hidden.take(number).dossier, changed_at=at))

    def hider(self, number: int) -> Procedure | None:
        """The form of a hidden dossier, None when it is not hidden."""
        return next(
            (each for each in self.procedures.values() if number in each.hidden.by_number), None
        )


def changed(names: Names, old: str, new: str) -> Names:
    """`names` with one more; what was renamed before goes by its first name."""
    known: Mapping[str, str] = dict(names)
    first = next((name for name, shown in known.items() if shown == old), old)
    return tuple({**known, first: new}.items())
