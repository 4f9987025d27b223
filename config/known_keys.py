"""The keys that may stand at a place of a file, and the one that was meant by another."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, get_args

from config.diagnostics import did_you_mean
from config.entry import Entry
from config.messages import tr
from config.schema import FILES
from routing.text import normalise

_FRENCH = {
    "nom": "name",
    "departement": "departments",
    "departements": "departments",
    "canal": "channels",
    "canaux": "channels",
    "courriel": "mail",
    "adresse": "mail",
    "email": "mail",
    "ouverture": "opens",
    "ouvre": "opens",
    "fermeture": "closes",
    "ferme": "closes",
    "successeur": "successor",
    "recapitulatif": "digest",
    "relance": "escalate_to",
    "relancer": "escalate_to",
    "escalade": "escalate_to",
    "libelle": "label",
    "champ": "field",
    "champs": "fields",
    "genre": "kind",
    "contient": "contains",
    "pourquoi": "why",
    "motif": "why",
    "quand": "when",
    "si": "when",
    "envoyer a": "send_to",
    "envoi": "send_to",
    "informer": "inform",
    "prevenir": "notify",
    "exemples": "examples",
    "region": "region",
    "etat": "state",
    "depose": "filed",
    "type de permis": "permit_type",
    "unite": "unit",
    "decide": "decided",
    "donne": "given",
}
"""What keys are called in French."""


def key_proposal(file: str, path: Sequence[str | int]) -> str | None:
    """What to write instead of the key that ends `path`, None when nothing can be proposed."""
    key, known = str(path[-1]), keys_at(file, path[:-1])
    meant = _FRENCH.get(normalise(key.replace("_", " ").replace("-", " ")))
    if meant in known:
        return tr("did you mean `{choice}`?", choice=meant)
    if near := did_you_mean(key, sorted(known)):
        return near
    places = [place for place, keys in _sections().items() if key in keys]
    return tr("it belongs to an entry of `{place}`", place=places[0]) if places else None


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
