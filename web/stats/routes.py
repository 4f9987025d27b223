"""`/stats`: the public page, and its figures as CSV and JSON."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from service.runtime import Runtime
from web.stats import exports, page
from web.stats.public_figures import permit_labels, read_choices, read_figures, read_public_figures
from web.stats.selection import PATH, Selection, UnknownChoice, read_selection
from web.stats.view import view

NOT_FOUND = 404
REMEMBERED = 32
"""Answers that are kept: what is public changes once a month."""

FRESH = {"Cache-Control": "public, max-age=600"}
FOR_LONG = {"Cache-Control": "public, max-age=31536000, immutable"}
LICENSED = {"Link": f'<{exports.LICENCE_URL}>; rel="license"'}

Write = Callable[[Selection], str]


def routes(runtime: Runtime) -> Sequence[BaseRoute]:
    """The page, its style and its files."""

    def write_page(selection: Selection) -> str:
        public = read_public_figures(runtime, selection)
        return page.served(view(public, selection) if public.months else None)

    def write_csv(selection: Selection) -> str:
        return exports.as_csv(read_figures(runtime, selection), permit_labels(runtime))

    def write_json(selection: Selection) -> str:
        return exports.as_json(read_figures(runtime, selection), permit_labels(runtime))

    return [
        Route(PATH, _answering(runtime, write_page, "text/html", {})),
        Route(f"{PATH}.csv", _answering(runtime, write_csv, "text/csv", LICENSED)),
        Route(f"{PATH}.json", _answering(runtime, write_json, "application/json", LICENSED)),
        Route(page.STYLESHEET, _style),
    ]


def _answering(
    runtime: Runtime, write: Write, media_type: str, headers: Mapping[str, str]
) -> Callable[[Request], Response]:
    """An endpoint that writes what is public of the selection in the address."""

    @lru_cache(REMEMBERED)
    def remembered(selection: Selection, _state: object) -> str:
        return write(selection)

    def answer(request: Request) -> Response:
        choices = read_choices(runtime)
        try:
            selection = read_selection(request.query_params, choices)
        except UnknownChoice:
            return _unknown()
        state = (len(choices.months), runtime.rule_sets.active())
        return Response(
            remembered(selection, state), media_type=media_type, headers={**FRESH, **headers}
        )

    return answer


async def _style(_request: Request) -> Response:
    return Response(page.stylesheet(), media_type="text/css", headers=FOR_LONG)


def _unknown() -> Response:
    text = (
        '<!DOCTYPE html><html lang="fr"><head><meta charset="utf-8"><title>Introuvable</title>'
        "</head><body><main><h1>Cette sélection n'existe pas</h1>"
        f'<p><a href="{PATH}">Voir les statistiques</a></p></main></body></html>'
    )
    return HTMLResponse(text, NOT_FOUND)
