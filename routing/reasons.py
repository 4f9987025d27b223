"""Reasons of reassignments by hand: a closed list, since free text could hold personal data.

A configuration may have a list of its own under `reasons` in routing.yaml.
"""

from collections.abc import Mapping

SHIPPED: Mapping[str, str] = {
    "moved": "déménagement ou changement d’établissement",
    "wrong-department": "département erroné dans le formulaire",
    "wrong-form": "formulaire d’un autre département ou d’un autre type",
    "asked-for": "demande du service qui le reçoit",
    "workload": "répartition de la charge entre services",
    "specialised": "service spécialisé",
    "unrouted": "dossier à orienter",
}
"""What each code says in words, to offices."""
