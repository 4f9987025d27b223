"""Timestamps of a third party: their check in `wif audit verify`, and their export for others."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cli.command_error import CommandError
from config.messages import tr, trn
from connectors.timestamp import Authority, TimestampError
from service.runtime import Runtime
from store.audit.seals import read_seals
from store.audit.timestamps import (
    Coverage,
    Timestamp,
    all_timestamps,
    check_timestamps,
    stamped_message,
)


def coverage(runtime: Runtime, certificates: Path | None) -> Coverage | None:
    """What the timestamps in the database vouch for; None where there are none.

    Args:
        runtime: of this process.
        certificates: PEM file of the authority's certificates; by default that of the settings.

    Raises:
        CommandError: there are timestamps and no certificates to check them with.
    """
    with runtime.database.read() as connection:
        stamps = all_timestamps(connection)
    if not stamps:
        return None
    path = certificates or runtime.settings.tsa_certificates_file
    if path is None:
        raise CommandError(
            trn(
                "{n} timestamp cannot be checked: give --tsa-certificates, the PEM file "
                "of the authority's certificates, or set WIF_TSA_CERTIFICATES_FILE",
                "{n} timestamps cannot be checked: give --tsa-certificates, the PEM file "
                "of the authority's certificates, or set WIF_TSA_CERTIFICATES_FILE",
                len(stamps),
            ),
            code=2,
        )
    try:
        authority = Authority.from_file(path)
    except TimestampError:
        raise CommandError(tr("{path}: holds no certificates in PEM", path=path), code=2) from None
    seals = read_seals(runtime.database)
    return check_timestamps(seals, stamps, authority.time_of, now=runtime.clock())


def told(found: Coverage | None) -> Iterator[str]:
    """What a person is told of it."""
    if found is None:
        yield tr("no timestamp of a third party: whoever has database and key can rewrite the past")
    elif found.since is not None:
        yield (
            trn(
                "{n} timestamp of a third party; it covers seal {first}, seen at {since} UTC: "
                "compare with when it was set up",
                "{n} timestamps of a third party; the first covers seal {first}, seen at {since} "
                "UTC: compare with when it was set up",
                found.timestamps,
                first=found.first,
                since=f"{found.since:%Y-%m-%d %H:%M}",
            )
        )


def record(found: Coverage | None) -> dict[str, Any] | None:
    """The same for scripts."""
    if found is None:
        return None
    return {"valid": found.timestamps, "first_seal": found.first, "since": found.since}


def export(runtime: Runtime, folder: Path) -> int:
    """Write each timestamp as `NUMBER.tsr`, and what it is of as `NUMBER.txt`; how many.

    `openssl ts -verify -data NUMBER.txt -in NUMBER.tsr -CAfile …` checks them without this program.
    """
    with runtime.database.read() as connection:
        stamps = {stamp.number: stamp for stamp in all_timestamps(connection)}
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    for seal in read_seals(runtime.database):
        stamp: Timestamp | None = stamps.get(seal.number)
        if stamp is not None:
            (folder / f"{seal.number}.tsr").write_bytes(stamp.token)
            (folder / f"{seal.number}.txt").write_bytes(stamped_message(seal))
            written += 1
    return written
