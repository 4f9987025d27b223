"""Which addresses a webhook may go to: public ones, unless its host is allowed by name.

The addresses that were checked are the ones that are connected to, which defeats DNS rebinding.
"""

from collections.abc import Collection

from connectors.addresses import Resolve, is_public, look_up
from connectors.deadline import SocketAddress
from connectors.webhook.url import WebhookUrl
from routing.failures import Cause, Failure


def destination(
    url: WebhookUrl, allowed: Collection[str], resolve: Resolve = look_up
) -> list[SocketAddress]:
    """The addresses of the endpoint that may be connected to, at least one.

    Args:
        url: of the endpoint.
        allowed: hosts that may be private, and be reached without TLS.
        resolve: looks a name up.

    Raises:
        Failure: the name cannot be resolved (`WEBHOOK_UNREACHABLE`), or it may not be called
            (`WEBHOOK_FORBIDDEN`).
        TimeoutError: it is not resolved in time.
    """
    named = url.host in allowed
    if not (url.secure or named):
        raise Failure(Cause.WEBHOOK_FORBIDDEN)
    found = resolve(url.host, url.port)
    if not found:
        raise Failure(Cause.WEBHOOK_UNREACHABLE)
    usable = [each for each in found if named or is_public(each[1][0])]
    if not usable:
        raise Failure(Cause.WEBHOOK_FORBIDDEN)
    return usable
