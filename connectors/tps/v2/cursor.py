"""The cursor of v2: where its walks through a procedure stand, as JSON text."""

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from connectors.tps.v2.page import LARGEST_PAGE, MOST_CURSOR
from routing import forms

_FROZEN = ConfigDict(frozen=True)


class KnownFields(BaseModel):
    """Where the form has the fields that routing reads.

    Attributes:
        revision: of the form in which they were found.
        wanted: digest of what the configuration said of them.
        ids: by field.
        addresses: whether one of them is an address.
        checked_at: when they were last looked up.
    """

    model_config = _FROZEN

    revision: str
    wanted: str
    ids: dict[forms.Field, str]
    addresses: bool = False
    checked_at: AwareDatetime


class Changes(BaseModel):
    """The walk through what is new or changed.

    Attributes:
        since: `updatedSince`, the same for the whole of a walk.
        after: cursor of the last dossier seen, None before the first.
        newest: the latest modification seen.
        newest_seen_at: when it was first seen, by our own clock.
    """

    model_config = _FROZEN

    since: AwareDatetime
    after: str | None = Field(default=None, max_length=MOST_CURSOR)
    newest: AwareDatetime | None = None
    newest_seen_at: AwareDatetime | None = None


class Scan(BaseModel):
    """A walk through everything; `after`: cursor of the last dossier seen."""

    model_config = _FROZEN

    after: str | None = Field(default=None, max_length=MOST_CURSOR)


class Deletions(BaseModel):
    """Where the two lists of deletions stand.

    Attributes:
        since: earlier deletions are none of ours.
        after: cursor in the list of those that are for good.
        pending_after: cursor in the list of those that can be undone.
    """

    model_config = _FROZEN

    since: AwareDatetime
    after: str | None = Field(default=None, max_length=MOST_CURSOR)
    pending_after: str | None = Field(default=None, max_length=MOST_CURSOR)


class Cursor(BaseModel):
    """Where the walks through a procedure stand.

    Attributes:
        api: the version that can read it.
        format: of the text, counted up when its meaning changes.
        fields: of the form, None while they are to be looked up.
        changes: None before the first walk.
        scan: None between two.
        deletions: None before the first page.
        size: dossiers of the next page.
        numbers_only: whether the next page is asked for without what routing reads, because it
            cannot be given with it.
    """

    model_config = _FROZEN

    api: Literal["v2"] = "v2"
    format: Literal[1] = 1
    fields: KnownFields | None = None
    changes: Changes | None = None
    scan: Scan | None = None
    deletions: Deletions | None = None
    size: int = Field(default=LARGEST_PAGE, ge=1, le=LARGEST_PAGE)
    numbers_only: bool = False


def encode(cursor: Cursor) -> str:
    """The text that the store keeps."""
    return cursor.model_dump_json(exclude_none=True, exclude_defaults=False)


def decode(text: str | None) -> Cursor:
    """The cursor that `text` holds; one that starts over when it holds none of ours."""
    if text is None:
        return Cursor()
    try:
        return Cursor.model_validate_json(text)
    except ValidationError:
        return Cursor()


def instant(moment: datetime) -> str:
    """An instant as a variable of a query."""
    return moment.isoformat()
