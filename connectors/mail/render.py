"""The two bodies of a mail: the templates, made ready once and filled in for every mail."""

from importlib.resources import files
from textwrap import fill

from css_inline import CSSInliner
from jinja2 import Environment, StrictUndefined, Template

from connectors.mail.content import Content, DigestContent

_FOLDER = files("connectors.mail") / "templates"

PAGE_ENVIRONMENT = Environment(
    # as comments, the blocks stay where they are when the styles are put into the elements,
    # which is done once here: for every mail it would take as long as all the rest
    block_start_string="<!--%",
    block_end_string="%-->",
    undefined=StrictUndefined,
    autoescape=True,
)
TEXT_ENVIRONMENT = Environment(
    undefined=StrictUndefined,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701 - plain text
)


def source(name: str) -> str:
    """The template `name` as it is written."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def render_text(content: Content | DigestContent) -> str:
    """`content` as plain text whose lines have at most 72 columns; an address is not broken."""
    template = _DIGEST_TEXT if isinstance(content, DigestContent) else _NOTICE_TEXT
    return "\n".join(map(_wrapped, template.render(content=content).split("\n")))


def render_html(content: Content | DigestContent) -> str:
    """`content` as an HTML page whose styles stand in the elements, as mail readers need them."""
    template = _DIGEST_PAGE if isinstance(content, DigestContent) else _NOTICE_PAGE
    return template.render(content=content)


def _wrapped(line: str) -> str:
    # An address alone keeps its indentation, which `fill` would drop.
    if len(line) <= _COLUMNS or " " not in line.strip():
        return line
    indent = "  " if line.startswith("- ") else ""
    return fill(
        line,
        _COLUMNS,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )


def _page(name: str) -> Template:
    inliner = CSSInliner(load_remote_stylesheets=False)
    whole = inliner.inline(source("base.html").replace("<!-- body -->\n", source(name)))
    # What is for dark screens and phones cannot stand in the elements.
    screens = f"<style>\n{source('screens.css')}</style>"
    return PAGE_ENVIRONMENT.from_string(whole.replace("<!-- screens -->", screens))


_COLUMNS = 72
_NOTICE_TEXT = TEXT_ENVIRONMENT.from_string(source("notice.txt"))
_DIGEST_TEXT = TEXT_ENVIRONMENT.from_string(source("digest.txt"))
_NOTICE_PAGE = _page("notice.html")
_DIGEST_PAGE = _page("digest.html")
