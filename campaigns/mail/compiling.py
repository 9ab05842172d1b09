"""What an author typed becomes the two parts of an email: HTML that is safe to send and to show, and a text."""

from functools import lru_cache
from html import escape
from typing import NamedTuple

import nh3
from css_inline import CSSInliner, InlineError

from campaigns import personalise
from campaigns.mail import allowed, reading
from campaigns.mail.holding import Held
from campaigns.mail.markdown import html_of
from campaigns.mail.mjml import Mjml
from campaigns.mail.plain import plain_of
from campaigns.mail.reading import Comment, End, Piece, Start, pieces_of
from campaigns.mail.styles import Sheet, sheet_of
from campaigns.mail.tidying import Tidied, Unreadable, spelled
from campaigns.models.words import Format, Words
from campaigns.personalise import PLACEHOLDER

LONGEST, LONGEST_HTML = 100_000, 500_000
MOST_STYLED = 5_000_000  # characters, if every rule met every tag

INLINER = CSSInliner(load_remote_stylesheets=False, minify_css=True)
SANITISER = nh3.Cleaner(
    tags=allowed.TAGS,
    clean_content_tags={"script", "style", "title", "iframe"},
    attributes={tag: allowed.attributes_of(tag) for tag in allowed.TAGS},
    url_schemes={"http", "https", "mailto", "tel", "sms"},
    link_rel=None,
    strip_comments=False,  # none is left but the tables for Outlook
)
HEAD = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
HIDDEN = (
    "display:none;font-size:1px;line-height:1px;max-height:0;max-width:0;opacity:0;overflow:hidden;"
    "color:transparent;mso-hide:all"
)
PADDING = "&#847;&zwnj;&nbsp;" * 40  # else what follows would be shown beside it in the inbox


class Compiled(NamedTuple):
    """`html` and `plain` keep the placeholders as they were typed; `problems` are sentences for the author."""

    html: str
    plain: str
    problems: tuple[str, ...] = ()


@lru_cache(maxsize=16)
def compiled(format: int, body: str, preheader: str = "") -> Compiled:
    """Both parts of an email written in this format; a plain text has no HTML. Never raises for what was typed."""
    if format == Format.TEXT or not body.strip():
        return Compiled("", body if format == Format.TEXT else "")
    if len(body) > LONGEST:
        return Compiled("", "", (f"The message has {len(body):,} characters; an email holds {LONGEST:,} at most.",))
    held = Held()
    try:
        return _compiled(format, body, preheader, held)
    except Unreadable as fault:
        return Compiled("", "", (held.back(str(fault)),))


def write_out(words: Words) -> tuple[str, ...]:
    """Write into these words what is compiled from them, and answer what is wrong with it. Saves nothing."""
    made = compiled(words.format, words.body, words.preheader)
    words.html, words.plain = (made.html, made.plain) if words.format != Format.TEXT else ("", "")
    return made.problems


def _compiled(format: int, body: str, preheader: str, held: Held) -> Compiled:
    source = body
    found: tuple[str, ...] = ()
    if format == Format.MARKDOWN:
        source = html_of(held.cover(body))
    elif format == Format.MJML:
        mjml = Mjml(body, held)
        source, found = mjml.html(), tuple(mjml.problems)
    page = Tidied(source, held, tells_lines=format == Format.HTML)
    sheets = [sheet_of(css, media) for css, media in page.css]
    fragment = respelled(SANITISER.clean(inlined(page, sheets)))
    html = assembled(page, fragment, "".join(sheet.kept for sheet in sheets), held.cover(preheader.strip()))
    plain = plain_of(fragment)
    # A parser may have made a placeholder that nobody looked at: it stays what it looks like.
    html = PLACEHOLDER.sub(lambda made: f"&#123;{made[0][1:]}", bounded(html))
    problems = dict.fromkeys(held.back(problem) for problem in (*found, *page.problems))
    return Compiled(with_room_for_values(held.back(html)), held.back(plain), tuple(problems))


def with_room_for_values(html: str) -> str:
    """This HTML, if every placeholder in it stands where a value can be written: nothing else can be sent or shown."""
    try:
        personalise.html(html)
    except personalise.NoPlace as fault:
        raise Unreadable(str(fault)) from None
    return html


def bounded(html: str) -> str:
    if len(html) > LONGEST_HTML:
        raise Unreadable(f"The email becomes {len(html):,} characters long; {LONGEST_HTML:,} is the most.")
    return html


def inlined(page: Tidied, sheets: list[Sheet]) -> str:
    """The body with each rule written into the tags it is for, as most mail programs need it."""
    css = "".join(sheet.inlined for sheet in sheets)
    if not css:
        return page.body
    if page.tags * sum(sheet.widest for sheet in sheets) > MOST_STYLED:
        raise Unreadable("So many styles for so many tags are too much for an email; make it simpler.")
    try:
        return bounded(INLINER.inline_fragment(page.body, css))
    except InlineError as fault:
        raise Unreadable(f"The style sheet cannot be read: {fault}.") from None


def respelled(html: str) -> str:
    """The same HTML with no sign in text or attributes that could be taken for another tag."""
    return "".join(map(_respelled, pieces_of(html)))


def _respelled(piece: Piece) -> str:
    match piece:
        case Start():
            return spelled(piece.name, piece.attributes)
        case End():
            return f"</{piece.name}>"
        case reading.Words():
            return escape(piece.text, quote=False)
        case Comment():
            return f"<!--{piece.text}-->"
    raise Unreadable("The message cannot be read as HTML.")


def assembled(page: Tidied, fragment: str, css: str, preheader: str) -> str:
    """The whole document: a head of our own, what the inbox shows beside the subject, and the body."""
    language = {name: value for name, value in page.root.items() if name in ("lang", "dir")}
    metas = "".join(spelled("meta", {"name": name, "content": value}) for name, value in page.metas.items())
    title = f"<title>{escape(page.title, quote=False)}</title>" if page.title else ""
    style = f"<style>{css}</style>" if css else ""
    frame = {name: value for name, value in page.frame.items() if name in ("style", "class", "bgcolor", "dir")}
    shown_beside = f'<div style="{HIDDEN}">{escape(preheader, quote=False)}{PADDING}</div>' if preheader else ""
    return (
        f"<!DOCTYPE html>\n{spelled('html', language)}<head>{HEAD}{metas}{title}{style}</head>\n"
        f"{spelled('body', frame)}{shown_beside}{fragment}</body></html>\n"
    )
