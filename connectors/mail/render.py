"""The two bodies of a mail: the templates, made ready once and filled in for every mail."""

from importlib.resources import files

from css_inline import CSSInliner
from jinja2 import Environment, StrictUndefined, Template

from connectors.mail.content import Content

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


def text(content: Content) -> str:
    """`content` as plain text."""
    return _TEXT.render(content=content)


def page(content: Content) -> str:
    """`content` as an HTML page whose styles stand in the elements, as mail readers need them."""
    return _PAGE.render(content=content)


def _inlined() -> Template:
    inliner = CSSInliner(load_remote_stylesheets=False)
    return PAGE_ENVIRONMENT.from_string(inliner.inline(source("notice.html")))


_TEXT = TEXT_ENVIRONMENT.from_string(source("notice.txt"))
_PAGE = _inlined()
