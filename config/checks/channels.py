"""Channels of units: an address that the channel takes, one of a kind, and nobody else's.

No address is repeated in a message: a person's is personal data, and a web address may hold
a secret.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from config.channel_entries import ChannelEntry
from config.checks.units import overlap
from config.diagnostics import Code, Diagnostic
from config.foreign_messages import translated
from config.loader import Configuration, Located
from config.messages import tr
from config.schema import UnitEntry
from connectors.channel import AddressForm
from connectors.channels import CHANNELS
from routing.units import GROUP_CHANNEL

PLACEHOLDER = re.compile(r"(.*\.)?(example|test|invalid|localhost|example\.(com|org|net|fr))")
"""Hosts that stand in examples and are nobody's."""


@dataclass(frozen=True, slots=True)
class ChannelPlace:
    """A channel of a unit, and where it stands."""

    unit: Located[UnitEntry]
    position: int
    entry: ChannelEntry

    def mistake(self, code: Code, message: str, proposal: str | None = None) -> Diagnostic:
        """A mistake in its address, which is not repeated."""
        path: list[str | int] = ["channels", self.position, self.entry.kind]
        return self.unit.mistake(code, path, message, proposal, secret=True)


def places(configuration: Configuration, form: AddressForm | None = None) -> Iterator[ChannelPlace]:
    """Every channel of every unit, of those whose addresses have this form."""
    for unit in configuration.units:
        for position, entry in enumerate(unit.entry.channels):
            if form in {None, CHANNELS[entry.kind].address_form}:
                yield ChannelPlace(unit, position, entry)


def check(configuration: Configuration) -> Iterator[Diagnostic]:
    """What is wrong with channels, whatever their kind."""
    seen: dict[tuple[str, str], list[ChannelPlace]] = {}
    for place in places(configuration):
        yield from _malformed(place, production=configuration.production)
        yield from _second_of_its_kind(place)
        yield from _tells_nobody(place)
        others = seen.setdefault((place.entry.kind, place.entry.address.casefold()), [])
        yield from _twice(place, others)
        others.append(place)


def _malformed(place: ChannelPlace, *, production: bool) -> Iterator[Diagnostic]:
    """What the channel itself says; of mailboxes more is said elsewhere."""
    channel = CHANNELS[place.entry.kind]
    if channel.address_form is AddressForm.MAILBOX:
        return
    try:
        channel.check_address(place.entry.address)
    except ValueError as error:
        yield place.mistake(Code.CHANNEL_ADDRESS, translated(str(error)))
        return
    if production and channel.address_form is AddressForm.URL:
        host = urlsplit(place.entry.address).hostname or ""
        if PLACEHOLDER.fullmatch(host):
            yield place.mistake(
                Code.CHANNEL_ADDRESS, tr("is a placeholder"), tr("write the unit's address")
            )


def _second_of_its_kind(place: ChannelPlace) -> Iterator[Diagnostic]:
    kinds = [entry.kind for entry in place.unit.entry.channels[: place.position]]
    if place.entry.kind in kinds:
        yield place.mistake(
            Code.CHANNEL_TWICE,
            tr(
                "is a second channel `{kind}` of {code}",
                kind=place.entry.kind,
                code=place.unit.entry.code,
            ),
            tr("keep one of each kind; several mailboxes belong behind one shared address"),
        )


def _tells_nobody(place: ChannelPlace) -> Iterator[Diagnostic]:
    """A unit whose only channel moves dossiers in TPS would not be told of any."""
    if {entry.kind for entry in place.unit.entry.channels} == {GROUP_CHANNEL}:
        yield place.mistake(
            Code.CHANNEL_ADDRESS,
            tr("is the only channel of {unit}, and tells nobody", unit=place.unit.entry.code),
            tr("add `- mail: …` beside it"),
        )


def _twice(place: ChannelPlace, others: list[ChannelPlace]) -> Iterator[Diagnostic]:
    unit, entry = place.unit.entry, place.entry
    if CHANNELS[entry.kind].address_form is AddressForm.LABEL:
        return
    for other in others:
        its = other.unit.entry
        if its is unit or not overlap(unit, its) or (entry.shared and other.entry.shared):
            continue
        if CHANNELS[entry.kind].address_form is AddressForm.MAILBOX:
            yield place.mistake(
                Code.MAILBOX_TWICE,
                tr("is the mailbox of {code} as well", code=its.code),
                tr("correct it, or add `functional: true` to both when they share it"),
            )
        else:
            yield place.mistake(
                Code.CHANNEL_TWICE,
                tr("is the address of {code} as well", code=its.code),
                tr("give each its own"),
            )
        return
