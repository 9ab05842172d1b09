"""Markdown becomes HTML that reads well in a mail program without a style of its author's."""

import re

from markdown_it import MarkdownIt

from campaigns.mail.tidying import Unreadable

READER = MarkdownIt("commonmark", {"html": True, "linkify": True, "breaks": True, "maxNesting": 40})
READER.enable(["table", "strikethrough", "linkify"])

# What grows with the square of these is told apart by nobody who reads it either.
LONGEST_WORD, MOST_BRACKETS = 2_000, 4_000
TOO_LONG = re.compile(rf"\S{{{LONGEST_WORD + 1}}}")

FRAME = (
    "max-width:600px;margin:0 auto;padding:24px 16px;font-family:Helvetica,Arial,sans-serif;"
    "font-size:16px;line-height:1.5"
)
STYLE = """
h1{font-size:26px;line-height:1.25;margin:0 0 16px}
h2{font-size:21px;line-height:1.3;margin:28px 0 12px}
h3{font-size:17px;line-height:1.4;margin:24px 0 8px}
p,ul,ol{margin:0 0 16px}
img{max-width:100%;height:auto;border:0}
blockquote{margin:0 0 16px;padding:0 0 0 14px;border-left:3px solid #d1d5db}
pre{white-space:pre-wrap;font-size:14px;margin:0 0 16px}
hr{border:0;border-top:1px solid #d1d5db;margin:24px 0}
table{border-collapse:collapse;margin:0 0 16px}
th,td{padding:6px 12px 6px 0;border-bottom:1px solid #d1d5db;text-align:left;vertical-align:top}
"""


def html_of(markdown: str) -> str:
    """Raises Unreadable."""
    if TOO_LONG.search(markdown):
        raise Unreadable(f"There is a word of more than {LONGEST_WORD:,} characters; put spaces in.")
    if markdown.count("[") > MOST_BRACKETS:
        raise Unreadable(f"There are more than {MOST_BRACKETS:,} brackets; make it simpler.")
    return f'<style>{STYLE}</style><body style="{FRAME}">{READER.render(markdown)}'
