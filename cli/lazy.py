"""Imports that wait until they are used: help and completion of a command need none of them.

    with lazy_imports():
        from service import reassign
        from store import dossiers

A module that is imported in such a block is loaded when one of its names is first asked for, so
the block imports modules, never names out of them. Linters and type checkers see plain imports.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from importlib.util import LazyLoader
from types import ModuleType


class _LazyFinder:
    """Finds what the others find, and lets it be loaded later."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        for finder in sys.meta_path:
            if finder is _LazyFinder:
                continue
            spec = finder.find_spec(name, path, target)
            if spec is None:
                continue
            if spec.loader is not None:
                spec.loader = LazyLoader(spec.loader)
            return spec
        return None


@contextmanager
def lazy_imports() -> Iterator[None]:
    """Let the modules that this block imports be loaded when they are first used."""
    sys.meta_path.insert(0, _LazyFinder)
    try:
        yield
    finally:
        sys.meta_path.remove(_LazyFinder)
