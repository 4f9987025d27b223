"""The cursor of v1: where its two walks through a procedure stand, as JSON text."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class Search(BaseModel):
    """A binary search for the last page with rows.

    Attributes:
        filled: the last page that is known to have rows, 0 while none is.
        empty: a later page that has none.
    """

    model_config = ConfigDict(frozen=True)

    filled: int = Field(default=0, ge=0)
    empty: int = Field(ge=2)


class Scan(BaseModel):
    """A walk through all pages, from the last to the first.

    Attributes:
        page: the page to ask for next.
        jumps: how often the walk followed a list that grew.
        end: the last page with rows, where the list has fewer of them than it says.
        search: the search for that page, while it is under way.
    """

    model_config = ConfigDict(frozen=True)

    page: int = Field(ge=1)
    jumps: int = Field(default=0, ge=0)
    end: int | None = Field(default=None, ge=1)
    search: Search | None = None


class Cursor(BaseModel):
    """Where the walks through a procedure stand.

    Attributes:
        api: the version that can read it.
        format: of the text, counted up when its meaning changes.
        pages: pages that the list had when it was last scanned: a scan begins at the last.
        scan: the scan under way, None between two.
        newest: page of the newest dossiers to ask for next, 1 unless that walk is under way.
    """

    model_config = ConfigDict(frozen=True)

    api: Literal["v1"] = "v1"
    format: Literal[1] = 1
    pages: int = Field(default=1, ge=1)
    scan: Scan | None = None
    newest: int = Field(default=1, ge=1)


def encode(cursor: Cursor) -> str:
    """The text that the store keeps."""
    return cursor.model_dump_json(exclude_none=True)


def decode(text: str | None) -> Cursor:
    """The cursor that `text` holds; one that starts over when it holds none of ours."""
    if text is None:
        return Cursor()
    try:
        return Cursor.model_validate_json(text)
    except ValidationError:
        return Cursor()
