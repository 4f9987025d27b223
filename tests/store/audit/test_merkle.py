"""Merkle trees are those of RFC 6962, as an independent library builds them."""

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree  # type: ignore[import-untyped]

from store.audit import merkle
from store.audit.merkle import Sibling, Side

ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",  # pragma: allowlist secret
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",  # pragma: allowlist secret
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",  # pragma: allowlist secret
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",  # pragma: allowlist secret
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",  # pragma: allowlist secret
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",  # pragma: allowlist secret
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",  # pragma: allowlist secret
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",  # pragma: allowlist secret
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",  # pragma: allowlist secret
]
"""Roots over the first 0 to 8 entries: the reference vectors of certificate transparency."""


def climb(leaf: bytes, steps: Sequence[Sibling]) -> bytes:
    """The root to which `steps` lead from `leaf`, as whoever gets a proof finds it."""
    for step in steps:
        pair = step.hash + leaf if step.side is Side.LEFT else leaf + step.hash
        leaf = sha256(b"\1" + pair).digest()
    return leaf


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_the_root_is_that_of_the_reference_vectors(size: int) -> None:
    leaves = [merkle.leaf_hash(entry) for entry in ENTRIES[:size]]
    assert merkle.root(leaves).hex() == ROOTS[size]


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=70), st.data())
def test_root_and_path_agree_with_an_independent_library(
    entries: list[bytes], data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(entries) - 1))
    tree = InmemoryTree(algorithm="sha256")
    for entry in entries:
        tree.append_entry(entry)
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    steps = merkle.path(leaves, index)
    assert merkle.root(leaves) == tree.get_root()
    assert climb(leaves[index], steps) == tree.get_root()
    theirs = tree.prove_inclusion(index + 1).serialize()["path"]
    assert {step.hash.hex() for step in steps} <= set(theirs)


@given(st.lists(st.binary(max_size=4), min_size=2, max_size=40), st.data())
def test_a_path_proves_no_other_entry(entries: list[bytes], data: st.DataObject) -> None:
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    index = data.draw(st.integers(0, len(entries) - 1))
    other = data.draw(st.binary(max_size=4).filter(lambda entry: entry != entries[index]))
    steps = merkle.path(leaves, index)
    assert climb(merkle.leaf_hash(other), steps) != merkle.root(leaves)


def test_sides_matter() -> None:
    leaves = [merkle.leaf_hash(entry) for entry in ENTRIES[:2]]
    assert [step.side for step in merkle.path(leaves, 0)] == [Side.RIGHT]
    assert [step.side for step in merkle.path(leaves, 1)] == [Side.LEFT]


@pytest.mark.parametrize("index", [-1, 3])
def test_there_is_no_path_to_a_leaf_that_is_not_there(index: int) -> None:
    with pytest.raises(IndexError):
        merkle.path([b"a" * 32] * 3, index)
