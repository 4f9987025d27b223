"""One GET or POST to TPS, with everything that can go wrong turned into a cause.

Nothing is raised here: an exception of a library holds the request (its token) or the
answer (personal data), and so do the frames of its traceback. An outcome is returned.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlencode, urljoin, urlsplit

import orjson
import requests
import urllib3
from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt, wait_random

from connectors.deadline import within
from connectors.http import BoundedSession, read_body
from connectors.retry_after import seconds_to_wait
from connectors.secret import Secret
from connectors.tps.causes import cause_before_answer, cause_within_answer
from connectors.tps.errors import RequestContext, TpsFailure, failure
from connectors.tps.http_status import cause_of
from connectors.tps.request_count import REQUESTS
from connectors.tps.sealed_response import SealedResponse, parse
from connectors.tps.urllib3_logs import redact_urllib3_logs
from routing.failures import Cause

USER_AGENT = "work-in-france-routing"
MOST_REDIRECTS = 3
DRAINED = 65_536
"""Bytes of a refusal that are read away, so that its connection can serve the next call."""

OVERHEAD = 1_000_000
"""Bytes on the wire besides an answer's content: headers, and the frames of its chunks."""

_HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": USER_AGENT}
_POSTED = {"Content-Type": "application/json"}
_PORTS = {"http": 80, "https": 443}
_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long and how large.

    Attributes:
        connect: seconds to connect to one address.
        read: seconds of silence.
        whole: seconds for one call in all, quick retries and redirects included.
        size: bytes of an answer, decoded.
        quick_retries: how often a connection cut before any answer, as a stale kept one
            is, is tried again at once.
    """

    connect: float
    read: float
    whole: float
    size: int
    quick_retries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """What is sent: a GET, or a POST where there is a body."""

    url: str
    place: RequestContext
    body: bytes | None = None
    most_objects: int | None = None


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """The same server says that the answer is at another of its addresses."""

    url: str


class Transport:
    """GETs and POSTs to one TPS server over kept connections. Not to be shared across a fork."""

    def __init__(
        self,
        *,
        base_url: str,
        token: Secret | Callable[[], str],
        token_in_query: bool,
        limits: Limits,
        session: requests.Session | None = None,
    ) -> None:
        self._base_url = server_address(base_url)
        self._token = token
        self._token_in_query = token_in_query
        self._limits = limits
        self._session = _bounded(session, self._base_url)
        self._attempts = _attempts(1 + limits.quick_retries)
        redact_urllib3_logs()

    def get(
        self,
        place: RequestContext,
        path: str,
        query: Mapping[str, str | int] | None = None,
        *,
        most_objects: int | None = None,
    ) -> SealedResponse | TpsFailure:
        """The answer to a GET of `path`, or what became of it.

        Args:
            place: for errors.
            path: below the address of the server.
            query: of the address.
            most_objects: an answer with more JSON objects is refused before it is parsed.
        """
        url = f"{self._base_url}{path}" + (f"?{urlencode(query)}" if query else "")
        return self._call(_Request(url=url, place=place, most_objects=most_objects))

    def post(
        self,
        place: RequestContext,
        path: str,
        content: object,
        *,
        most_objects: int | None = None,
        repeatable: bool = True,
    ) -> SealedResponse | TpsFailure:
        """The answer to a POST of `content` as JSON to `path`, or what became of it.

        A redirect is not followed: `Cause.TPS_REDIRECTED`.

        Args:
            place: for errors.
            path: below the address of the server.
            content: what orjson can encode.
            most_objects: an answer with more JSON objects is refused before it is parsed.
            repeatable: whether the call may be made again at once when its connection was cut
                before any answer, as a query may.
        """
        request = _Request(
            url=f"{self._base_url}{path}",
            place=place,
            body=orjson.dumps(content),
            most_objects=most_objects,
        )
        return self._call(request, repeatable=repeatable)

    def close(self) -> None:
        """Close the kept connections."""
        self._session.close()

    def _call(self, request: _Request, *, repeatable: bool = True) -> SealedResponse | TpsFailure:
        with within(self._limits.whole, most_bytes=2 * self._limits.size + OVERHEAD):
            return self._attempts(self._follow, request) if repeatable else self._follow(request)

    def _follow(self, request: _Request) -> SealedResponse | TpsFailure:
        outcome = self._exchange(request)
        for _ in range(MOST_REDIRECTS):
            if not isinstance(outcome, _Elsewhere):
                return outcome
            outcome = self._exchange(replace(request, url=outcome.url))
            if isinstance(outcome, TpsFailure) and outcome.cause is Cause.TPS_NOT_JSON:
                # A page to log in on, for instance: the address is not the API's.
                return failure(Cause.TPS_REDIRECTED, request.place)
        if isinstance(outcome, _Elsewhere):
            return failure(Cause.TPS_REDIRECTED, request.place)
        return outcome

    def _exchange(self, request: _Request) -> SealedResponse | TpsFailure | _Elsewhere:
        token = self._secret()
        if token is None:
            return failure(Cause.TPS_UNAUTHORIZED, request.place)
        try:
            response = self._send(request, token)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            cause = cause_before_answer(error)
            REQUESTS.add(cause.value)
            return failure(cause, request.place)
        REQUESTS.add(str(response.status_code))
        with closing(response):
            try:
                return self._read(request, response)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                return failure(cause_within_answer(error), request.place)

    def _secret(self) -> str | None:
        """The token, read anew for each call; None when no header could carry it."""
        token = self._token() if callable(self._token) else self._token.get_secret_value()
        return bare if _TOKEN.fullmatch(bare := token.strip()) else None

    def _send(self, request: _Request, token: str) -> requests.Response:
        posted = request.body is not None
        return self._session.request(
            "POST" if posted else "GET",
            _with_token(request.url, token) if self._token_in_query else request.url,
            data=request.body,
            headers=_HEADERS | _POSTED if posted else _HEADERS,
            # As a hook and not as a header, which a user in a redirect's address would replace.
            auth=_unchanged if self._token_in_query else _Bearer(token),
            timeout=(self._limits.connect, self._limits.read),
            stream=True,
            allow_redirects=False,
        )

    def _read(
        self, request: _Request, response: requests.Response
    ) -> SealedResponse | TpsFailure | _Elsewhere:
        cause = cause_of(response.status_code)
        if cause is None:
            outcome = _parsed(response, size=self._limits.size, most_objects=request.most_objects)
            if isinstance(outcome, SealedResponse):
                return outcome
            return failure(outcome, request.place)
        with suppress(urllib3.exceptions.HTTPError, OSError):
            response.raw.read(DRAINED, decode_content=False)
        follows = request.body is None and not self._token_in_query
        if cause is Cause.TPS_REDIRECTED and follows:
            elsewhere = _same_server(response, self._base_url)
            if elsewhere is not None:
                return _Elsewhere(elsewhere)
        return failure(
            cause,
            request.place,
            status=response.status_code,
            retry_after=seconds_to_wait(response.headers.get("Retry-After"), datetime.now(UTC)),
        )


def _parsed(
    response: requests.Response, *, size: int, most_objects: int | None
) -> SealedResponse | Cause:
    body = read_body(response, most=size)
    if body is None or (most_objects is not None and body.count(b"{") > most_objects):
        return Cause.TPS_OVERSIZED
    return parse(body)


def _same_server(response: requests.Response, base_url: str) -> str | None:
    """Where a redirect leads, when that is the scheme, host and port of `base_url`."""
    location = response.headers.get("Location")
    if not location:
        return None
    try:
        url = urljoin(response.url, location)
        return url if _server(url) == _server(base_url) else None
    except ValueError:
        return None


def server_address(base_url: str) -> str:
    """The address of the server as every spelling of it means it, without the API's own path.

    Raises:
        ValueError: when it is not the http(s) address of a server; it is not repeated.
    """
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("the address of TPS must be http(s)://HOST")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("the address of TPS must carry no user, no query and no fragment")
    host = parts.netloc.lower().removesuffix(f":{_PORTS[parts.scheme]}")
    bare = f"{parts.scheme}://{host}{parts.path}".rstrip("/")
    return bare.removesuffix("/api/v1").removesuffix("/api/v2/graphql")


def _server(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port.

    Raises:
        ValueError: when `url` is none.
    """
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def _bounded(given: requests.Session | None, base_url: str) -> requests.Session:
    """A session with the proxies, authorities and client certificate of the one that is given,
    else of the environment.

    Raises:
        ValueError: it does not verify TLS.
    """
    session = BoundedSession()
    if given is not None:
        if given.verify is False:
            raise ValueError("a session that does not verify TLS must not carry the token of TPS")
        session.proxies, session.verify, session.cert = given.proxies, given.verify, given.cert
        session.trust_env = given.trust_env
    # Read once: `requests` would look through all variables of the environment at each call.
    authorities = session.verify if isinstance(session.verify, str) else None
    found = session.merge_environment_settings(base_url, {}, None, authorities, None)
    session.proxies, session.verify, session.trust_env = found["proxies"], found["verify"], False
    return session


class _Bearer(requests.auth.AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _with_token(url: str, token: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode({'token': token})}"


def _attempts(most: int) -> Retrying:
    """At once after a connection was cut before any answer: longer waits are the database's."""
    return Retrying(
        retry=retry_if_result(_was_cut),
        stop=stop_after_attempt(most),
        wait=wait_random(0, 0.1),
        retry_error_callback=_last,
    )


def _was_cut(outcome: SealedResponse | TpsFailure) -> bool:
    return isinstance(outcome, TpsFailure) and outcome.cause is Cause.TPS_RESET


def _last(state: RetryCallState) -> SealedResponse | TpsFailure:
    if state.outcome is None:
        raise RuntimeError("tenacity gave up before the first attempt")
    outcome: SealedResponse | TpsFailure = state.outcome.result()
    return outcome
