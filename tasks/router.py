"""The queue of a message that its arguments decide, as Celery asks for it."""

from collections.abc import Sequence
from typing import Any

from connectors.channels import DEFAULT_CHANNEL
from service.queues import of_channel


def queue_of_delivery(
    name: str,
    args: Sequence[Any],
    *_: Any,  # noqa: ANN401
    **__: Any,  # noqa: ANN401
) -> str | None:
    """The queue of `wif.deliver` by its channel; None for other tasks.

    A message without a channel is of the version before: it means mail.
    """
    return of_channel(str(args[0]) if args else DEFAULT_CHANNEL) if name == "wif.deliver" else None
