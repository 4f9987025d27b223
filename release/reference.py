"""Pages made from the commands themselves: `make reference`; a test says when they are old.

The manual page, the JSON Schemas of what `--json` prints, and the table of exit codes.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from cli import exit_codes, language
from cli.json_documents import schemas
from release.manual import manual_page

DOCS = Path(__file__).resolve().parent.parent / "docs"


def pages() -> Iterator[tuple[Path, str]]:
    """Each page below `docs/`, with its text; in English whatever the locale."""
    language.use(language.ENGLISH)
    yield Path("wif.1"), manual_page()
    yield Path("exit-codes.md"), exit_codes.page()
    for name, text in schemas.schemas().items():
        yield Path("schemas") / name, text


def main() -> None:
    """Write them all."""
    for name, text in pages():
        (DOCS / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"docs/{name}\n")


if __name__ == "__main__":
    main()
