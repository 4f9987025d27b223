"""The keys that may stand at a place of a file, and the one that was meant by another."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, get_args

from config.diagnostics import did_you_mean
from config.entry import Entry
from config.french_words import KEYS, meant_by
from config.messages import tr
from config.schema import FILES


def key_proposal(file: str, path: Sequence[str | int]) -> str | None:
    """What to write instead of the key that ends `path`, None when nothing can be proposed."""
    key, known = str(path[-1]), keys_at(file, path[:-1])
    if meant := meant_by(key, KEYS, known):
        return tr("did you mean `{choice}`?", choice=meant)
    if near := did_you_mean(key, sorted(known)):
        return near
    if below := [
        each for each in sorted(known) if key in keys_at(file, [*path[:-1], each]) - known
    ]:
        return tr("it belongs below `{place}`, indented further", place=below[0])
    places = [place for place, keys in _sections().items() if key in keys]
    if places:
        return tr("it belongs to an entry of `{place}`", place=places[0])
    return tr("known here: {names}", names=", ".join(sorted(known))) if known else None


def keys_at(file: str, path: Sequence[str | int]) -> set[str]:
    """The keys of the mapping that `path` leads to; parts that are no keys are skipped."""
    models = {FILES[file]}
    for part in path:
        below = {
            model
            for each in models
            for name, info in each.model_fields.items()
            if (info.alias or name) == part
            for model in _models(info.annotation)
        }
        models = below or models
    return {info.alias or name for each in models for name, info in each.model_fields.items()}


@cache
def _sections() -> dict[str, set[str]]:
    return {
        name: keys_at(file, [name])
        for file, model in FILES.items()
        for name, info in model.model_fields.items()
        if list(_models(info.annotation))
    }


def _models(annotation: Any) -> Iterator[type[Entry]]:  # noqa: ANN401
    """The mappings that a field may hold."""
    if isinstance(annotation, type) and issubclass(annotation, Entry):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
