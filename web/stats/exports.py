"""The public figures as CSV and JSON, each column with what it says."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

from service.statistics.suppression import ALL
from store.published_figures import StoredFigure
from web.stats.wording import kind_name, month_code, place_name, share

LICENCE = "Licence Ouverte 2.0"
LICENCE_URL = "https://www.etalab.gouv.fr/licence-ouverte-open-licence"

COLUMNS: Mapping[str, str] = {
    "month": "mois des dépôts et des décisions, par exemple 2026-10",
    "department": f"code du département de compétence ; {ALL} : toute la France ; vide : non "
    "déterminé",
    "department_name": "son nom",
    "permit_type": f"code du type d'autorisation ; {ALL} : tous ; vide : non déterminé",
    "permit_type_label": "son nom",
    "requests": "demandes déposées dans le mois",
    "decisions": "demandes décidées dans le mois (accord, refus ou classement sans suite)",
    "decisions_over_5_days": "parmi elles, décidées plus de cinq jours ouvrés après le dépôt",
    "share_over_5_days": "leur part, en pour cent",
    "median_days": "délai médian entre le dépôt et la décision, en jours ouvrés",
    "p90_days": "délai en jours ouvrés dans lequel neuf décisions sur dix ont été prises ; 60 : "
    "60 ou plus",
}
"""The columns and what they say. A number that is not published is left out."""


def as_rows(figures: Iterable[StoredFigure], labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """The figures with the names of the columns."""
    return [_row(each, labels) for each in figures]


def as_csv(figures: Iterable[StoredFigure], labels: Mapping[str, str]) -> str:
    """The figures as CSV (RFC 4180), with a line of names first."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    writer.writerows(as_rows(figures, labels))
    return out.getvalue()


def as_json(figures: Iterable[StoredFigure], labels: Mapping[str, str]) -> str:
    """The figures as JSON, with licence and descriptions."""
    document = {
        "licence": LICENCE,
        "licence_url": LICENCE_URL,
        "columns": COLUMNS,
        "figures": as_rows(figures, labels),
    }
    return json.dumps(document, ensure_ascii=False) + "\n"


def _row(figure: StoredFigure, labels: Mapping[str, str]) -> dict[str, Any]:
    part = share(figure.late, figure.decisions)
    return {
        "month": month_code(figure.month),
        "department": figure.department,
        "department_name": place_name(figure.department),
        "permit_type": figure.permit_type,
        "permit_type_label": kind_name(figure.permit_type, labels),
        "requests": figure.requests,
        "decisions": figure.decisions,
        "decisions_over_5_days": figure.late,
        "share_over_5_days": None if part is None else round(part, 1),
        "median_days": figure.median,
        "p90_days": figure.p90,
    }
