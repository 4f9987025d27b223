"""The check names what was changed: which line, which seal, and how."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, text, update

from store.audit.check import MOST_FINDINGS, Chain, ViolationKind, check_lines, verify, vouched
from store.audit.lines import leaves, read_page
from store.audit.seal_keys import SigningKey, load_or_create_signing_key
from store.audit.seals import GENESIS, Seal, read_seals
from store.engine import Database
from store.models import AuditSeal
from tests.store.audit.samples import START, seal, tampering, write

NEW_LINE = "INSERT INTO audit_lines (id, at, step) VALUES ({id}, '2026-01-05 08:00:00', 'seen')"
RENUMBER = "UPDATE audit_lines SET id = {new} WHERE id = {old}"


@pytest.fixture
def database(database: Database, key: SigningKey) -> Database:
    """30 lines under three seals, and two more that are not sealed yet."""
    write(database, 30)
    seal(database, key, batch=10)
    write(database, 2, at=START + timedelta(days=1))
    return database


def found(database: Database, key: SigningKey) -> list[str]:
    return [str(one) for one in verify(database, trusted=frozenset({key.public})).findings]


def test_what_nobody_touched_is_intact(database: Database, key: SigningKey) -> None:
    result = verify(database, trusted=frozenset({key.public}))
    assert result.intact
    assert (result.lines, result.seals, result.keys) == (30, 3, {key.public})
    assert result.head is not None
    assert result.head.number == 3


def test_lines_that_are_not_sealed_yet_are_told(database: Database, key: SigningKey) -> None:
    tail = verify(database).tail
    assert (tail.size, tail.first, tail.since) == (2, 31, "2026-01-06 08:00:00.000000")


TAMPERINGS: list[tuple[str, list[str], list[str]]] = [
    (
        "a line edited",
        ["UPDATE audit_lines SET unit = 'UD093' WHERE id = 14"],
        ["seal 2: line-edited 14"],
    ),
    (
        "lines edited in two seals",
        ["UPDATE audit_lines SET attempt = 7 WHERE id IN (4, 8, 9, 25)"],
        ["seal 1: line-edited 4,8-9", "seal 3: line-edited 25"],
    ),
    ("a line deleted", ["DELETE FROM audit_lines WHERE id = 14"], ["seal 2: line-deleted 14"]),
    (
        "the first lines deleted",
        ["DELETE FROM audit_lines WHERE id < 4"],
        ["seal 1: line-deleted 1-3"],
    ),
    (
        "the sealed tail cut off",
        ["DELETE FROM audit_lines WHERE id > 25"],
        ["seal 3: line-deleted 26-30"],
    ),
    (
        "all lines deleted",
        ["DELETE FROM audit_lines"],
        [
            "seal 1: line-deleted 1-10",
            "seal 2: line-deleted 11-20",
            "seal 3: line-deleted 21-30",
        ],
    ),
    ("a line before the first", [NEW_LINE.format(id=-5)], ["seal 1: line-inserted -5"]),
    (
        "a line put in the place of another",
        ["DELETE FROM audit_lines WHERE id = 14", NEW_LINE.format(id=14)],
        ["seal 2: line-edited 14"],
    ),
    (
        "a line renumbered to the end",
        ["UPDATE audit_lines SET id = 90 WHERE id = 14"],
        ["seal 2: line-deleted 14"],
    ),
    (
        "two lines swapped",
        [
            "UPDATE audit_lines SET id = 99 WHERE id = 14",
            "UPDATE audit_lines SET id = 14 WHERE id = 26",
            "UPDATE audit_lines SET id = 26 WHERE id = 99",
        ],
        ["seal 2: line-edited 14", "seal 3: line-edited 26"],
    ),
    (
        "a deletion hidden by renumbering",
        [
            "DELETE FROM audit_lines WHERE id = 12",
            *(RENUMBER.format(new=one - 1, old=one) for one in range(13, 33)),
        ],
        ["seal 2: line-edited 12-20", "seal 3: line-edited 21-30"],
    ),
    (
        "a seal edited",
        ["UPDATE audit_seals SET size = 9 WHERE number = 2"],
        ["seal 2: seal-edited"],
    ),
    (
        "the first seal deleted",
        ["DELETE FROM audit_seals WHERE number = 1"],
        ["seal 1: seal-missing"],
    ),
    (
        "seals deleted from the middle",
        ["DELETE FROM audit_seals WHERE number = 2"],
        ["seal 2: seal-missing"],
    ),
    (
        "a seal renumbered",
        ["UPDATE audit_seals SET number = 9 WHERE number = 2"],
        ["seal 2: seal-missing", "seal 9: seal-edited"],
    ),
    (
        "two seals swapped",
        [
            "UPDATE audit_seals SET number = 9 WHERE number = 2",
            "UPDATE audit_seals SET number = 2 WHERE number = 3",
            "UPDATE audit_seals SET number = 3 WHERE number = 9",
        ],
        ["seal 2: seal-edited", "seal 3: seal-edited"],
    ),
    (
        "a seal copied to the end",
        [
            "INSERT INTO audit_seals SELECT 4, format, first_id, last_id, size, ids, root,"
            " previous, sealed_at, public_key, signature, leaves FROM audit_seals WHERE number = 3"
        ],
        ["seal 4: seal-edited"],
    ),
    (
        "a line and its leaf hash edited",
        [
            "UPDATE audit_lines SET unit = 'UD093' WHERE id = 14",
            "UPDATE audit_seals SET leaves = (SELECT leaves FROM audit_seals WHERE number = 1)"
            " WHERE number = 2",
        ],
        ["seal 2: seal-leaf-hashes-edited", "seal 2: lines-altered 11-20"],
    ),
    (
        "leaf hashes edited, lines not",
        [
            "UPDATE audit_seals SET leaves = (SELECT leaves FROM audit_seals WHERE number = 1)"
            " WHERE number = 2"
        ],
        ["seal 2: seal-leaf-hashes-edited"],
    ),
]


@pytest.mark.parametrize(
    ("statements", "expected"),
    [pytest.param(done, expected, id=what) for what, done, expected in TAMPERINGS],
)
def test_what_was_done_is_named(
    database: Database, key: SigningKey, statements: list[str], expected: list[str]
) -> None:
    with tampering(database) as connection:
        for statement in statements:
            connection.execute(text(statement))
    assert found(database, key) == expected


def test_an_insertion_between_two_seals_is_named(
    database: Database, key: SigningKey, tmp_path: Path
) -> None:
    with tampering(database) as connection:
        connection.execute(text("DELETE FROM audit_lines WHERE id > 30"))
        connection.execute(text(NEW_LINE.format(id=40)))
    seal(database, key)
    with tampering(database) as connection:
        connection.execute(text(NEW_LINE.format(id=35)))
    assert found(database, key) == ["seal 4: line-inserted 35"]


def _forge(database: Database, connection: Connection, key: SigningKey, number: int) -> None:
    """Seal anew, with `key`, whatever now stands under the seal `number`."""
    seals = {one.number: one for one in read_seals(database)}
    rows = read_page(database, after=seals[number].first_id - 1, last=seals[number].last_id)
    previous = seals[number - 1].hash if number > 1 else GENESIS
    made = Seal.make(key, rows, number=number, previous=previous, at=START)
    stored = {**made.stated, "sealed_at": START}
    stored |= {"signature": made.signature, "leaves": made.leaves}
    connection.execute(update(AuditSeal).where(AuditSeal.number == number).values(stored))


def test_a_seal_by_a_key_that_is_not_trusted_is_named(
    database: Database, key: SigningKey, tmp_path: Path
) -> None:
    stranger = load_or_create_signing_key(tmp_path / "stranger.key")
    with tampering(database) as connection:
        _forge(database, connection, stranger, 3)
    assert found(database, key) == ["seal 3: seal-key-unknown"]
    assert verify(database).intact, "without trusted keys any may sign: the report names them"
    assert verify(database).keys == {key.public, stranger.public}


def test_a_line_rewritten_with_the_stolen_key_breaks_the_chain(
    database: Database, key: SigningKey
) -> None:
    with tampering(database) as connection:
        connection.execute(text("UPDATE audit_lines SET unit = 'UD093' WHERE id = 14"))
    with tampering(database) as connection:
        _forge(database, connection, key, 2)
    assert found(database, key) == ["seal 3: seal-out-of-chain"]


def test_all_rewritten_with_the_stolen_key_is_caught_against_exported_seals(
    database: Database, key: SigningKey
) -> None:
    exported = {one.number: one.hash for one in read_seals(database)}
    with tampering(database) as connection:
        connection.execute(text("UPDATE audit_lines SET unit = 'UD093' WHERE id = 14"))
    for number in (2, 3):
        with tampering(database) as connection:
            _forge(database, connection, key, number)
    assert found(database, key) == []
    caught = verify(database, trusted=frozenset({key.public}), exported=exported).findings
    assert [str(one) for one in caught] == [
        "seal 2: seal-differs-from-exported",
        "seal 3: seal-differs-from-exported",
    ]


def test_a_tail_cut_off_with_its_seals_is_caught_against_exported_seals(
    database: Database, key: SigningKey
) -> None:
    exported = {one.number: one.hash for one in read_seals(database)}
    with tampering(database) as connection:
        connection.execute(text("DELETE FROM audit_lines WHERE id > 20"))
        connection.execute(text("DELETE FROM audit_seals WHERE number > 2"))
    assert found(database, key) == []
    caught = verify(database, exported=exported).findings
    assert [str(one) for one in caught] == ["seal 3: seal-missing"]


def test_a_check_stops_when_the_question_is_answered(database: Database, key: SigningKey) -> None:
    write(database, 60)
    seal(database, key, batch=1)
    with tampering(database) as connection:
        connection.execute(text("UPDATE audit_lines SET attempt = 99"))
    result = verify(database)
    assert result.stopped
    assert len(result.findings) == MOST_FINDINGS


def test_exported_seals_are_checked_themselves(database: Database, key: SigningKey) -> None:
    seals = list(read_seals(database))
    trusted = frozenset({key.public})
    hashes, findings = vouched(seals, trusted=trusted)
    assert (hashes, findings) == ({one.number: one.hash for one in seals}, [])
    edited = [seals[0], replace(seals[1], root="0" * 64), seals[2]]
    hashes, findings = vouched(edited, trusted=trusted)
    assert [str(one) for one in findings] == ["seal 2: exported-seal-edited"]
    assert list(hashes) == [1, 3]
    _, findings = vouched(seals, trusted=frozenset({"0" * 64}))
    assert len(findings) == 3


def test_the_findings_are_alike_for_seals_that_come_in_any_order(
    database: Database, key: SigningKey
) -> None:
    first, second, third = read_seals(database)
    chain = Chain(trusted=frozenset({key.public}), whole=False)
    assert chain.check(second).findings == ()
    assert [one.problem for one in chain.check(first).findings] == [ViolationKind.SEAL_OUT_OF_CHAIN]
    assert [one.problem for one in chain.check(third).findings] == [ViolationKind.SEAL_MISSING]


def _restated(key: SigningKey, seal_: Seal, **changes: object) -> Seal:
    """A seal that says something else, signed by the right key."""
    changed = replace(seal_, **changes)  # type: ignore[arg-type]
    return replace(changed, signature=key.sign(changed.statement))


def test_a_seal_of_another_format_is_not_guessed_at(database: Database, key: SigningKey) -> None:
    first = next(read_seals(database))
    chain = Chain(trusted=frozenset(), whole=True)
    link = chain.check(_restated(key, first, format=3))
    assert [one.problem for one in link.findings] == [ViolationKind.SEAL_FORMAT_UNKNOWN]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"ids": "1-10,x"}, ViolationKind.SEAL_EDITED),
        ({"ids": "2-11"}, ViolationKind.SEAL_EDITED),
        ({"size": None}, ViolationKind.SEAL_EDITED),
        ({"root": "0" * 64}, ViolationKind.SEAL_LEAVES_EDITED),
    ],
)
def test_nonsense_signed_by_the_right_key_ends_nothing(
    database: Database, key: SigningKey, changes: dict[str, object], problem: ViolationKind
) -> None:
    first = next(read_seals(database, leaf_hashes=True))
    rows = read_page(database, after=None, last=10)
    nonsense = _restated(key, first, **changes)
    findings = check_lines(nonsense, [row[0] for row in rows], leaves(rows))
    assert findings[0].problem is problem


def test_a_seal_chained_to_lines_of_the_one_before_is_out_of_chain(
    database: Database, key: SigningKey
) -> None:
    first, second, _ = read_seals(database)
    chain = Chain(trusted=frozenset(), whole=True)
    chain.check(first)
    link = chain.check(_restated(key, second, first_id=10))
    assert [one.problem for one in link.findings] == [ViolationKind.SEAL_OUT_OF_CHAIN]


def test_a_first_seal_that_hangs_on_another_is_out_of_chain(
    database: Database, key: SigningKey
) -> None:
    first = next(read_seals(database))
    link = Chain(trusted=frozenset(), whole=True).check(_restated(key, first, previous="1" * 64))
    assert [one.problem for one in link.findings] == [ViolationKind.SEAL_OUT_OF_CHAIN]


def test_lines_behind_a_seal_that_says_nothing_are_not_blamed(
    database: Database, key: SigningKey, tmp_path: Path
) -> None:
    """Only what is certain is said: the lines of an edited seal are not called inserted."""
    with tampering(database) as connection:
        connection.execute(text("UPDATE audit_seals SET last_id = 99 WHERE number = 2"))
        connection.execute(text("UPDATE audit_lines SET attempt = 99 WHERE id = 25"))
    assert found(database, key) == ["seal 2: seal-edited", "seal 3: line-edited 25"]


def test_a_seal_inserted_by_somebody_without_a_key_is_named(
    database: Database, key: SigningKey, tmp_path: Path
) -> None:
    stranger = load_or_create_signing_key(tmp_path / "stranger.key")
    (*_, last) = read_seals(database)
    rows = read_page(database, after=30)
    made = Seal.make(stranger, rows, number=4, previous=last.hash, at=START)
    stored = {**made.stated, "sealed_at": START, "signature": made.signature}
    with database.begin() as connection:
        connection.execute(insert(AuditSeal), [{**stored, "leaves": made.leaves}])
    assert found(database, key) == ["seal 4: seal-key-unknown"]
