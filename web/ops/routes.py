"""`/ops` on the private address: off unless a password or a proxy's header is configured."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from routing.calendar import paris_day
from routing.coverage import coverage
from routing.ruleset import RuleSet
from routing.simulation import CaseMove
from service.operations import last_moves, look
from service.runtime import Runtime
from store.rulesets import Activation
from web.coverage.page import coverage_page
from web.ops import page
from web.ops.access import Access

NOT_FOUND = 404
_INLINE = re.compile(r"<(style|script)>(.*?)</\1>", re.DOTALL)


def routes(runtime: Runtime) -> Sequence[BaseRoute]:
    """The page, what it loads and the coverage matrix; nothing where nobody may see it."""
    access = Access(runtime)
    if not access.configured:
        return []

    @lru_cache(1)
    def moves(activations: tuple[Activation, ...]) -> Sequence[CaseMove]:
        return last_moves(runtime, activations)

    def show(_request: Request) -> Response:
        ops = look(runtime)
        moved = moves(tuple(ops.activations))
        return HTMLResponse(page.ops_page(ops, moved, flower=runtime.settings.flower_url))

    @lru_cache(1)
    def covered(digest: str, day: date) -> Response:
        return _coverage(runtime.rule_sets.get(digest), day)

    def show_coverage(_request: Request) -> Response:
        digest = runtime.rule_sets.active()
        if digest is None:
            return Response(status_code=NOT_FOUND)
        return covered(digest, paris_day(runtime.clock()))

    def style(_request: Request) -> Response:
        return Response(page.stylesheet(), media_type="text/css")

    def script(_request: Request) -> Response:
        return Response(page.script(), media_type="text/javascript")

    return [
        Route(page.PATH, access.guarding(show)),
        Route(f"{page.PATH}/couverture", access.guarding(show_coverage)),
        Route(f"{page.PATH}/style.css", access.guarding(style)),
        Route(f"{page.PATH}/refresh.js", access.guarding(script)),
    ]


def _coverage(rules: RuleSet, day: date) -> Response:
    """The coverage matrix of a rule set, whose own style and script are allowed by their hashes."""
    text = coverage_page(rules, list(coverage(rules, day)), day, addresses=False)
    hashes = " ".join(_hashes(found.group(2) for found in _INLINE.finditer(text)))
    policy = (
        f"default-src 'none'; style-src {hashes}; script-src {hashes}; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return HTMLResponse(text, headers={"Content-Security-Policy": policy})


def _hashes(texts: Iterable[str]) -> Iterable[str]:
    """Each text as a policy names it."""
    for text in texts:
        yield f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
