"""What an author typed becomes an email: its placeholders untouched, its text part readable."""

from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.mail.compiling import compiled
from campaigns.models import Format, Source
from campaigns.personalise import PLACEHOLDER
from campaigns.rendering import Renderer
from people.channels import Channel

MJML = """<mjml><mj-body><mj-section><mj-column>
  <mj-text>Hello {first_name|friend}</mj-text>
  <mj-button href="https://shop.org/?u={email}">Look</mj-button>
</mj-column><mj-column><mj-text>Bye</mj-text></mj-column></mj-section></mj-body></mjml>"""


def test_markdown_becomes_html_with_its_styles_in_the_tags():
    made = compiled(Format.MARKDOWN, "# Hello {first_name|friend}\n\nSee [the **shop**](https://shop.org/?u={email})\n")

    assert made.problems == ()
    assert '<a href="https://shop.org/?u={email}">the <strong>shop</strong></a>' in made.html
    assert '<h1 style="' in made.html and "Hello {first_name|friend}</h1>" in made.html
    assert made.plain == "Hello {first_name|friend}\n\nSee the shop (https://shop.org/?u={email})"


def test_mjml_becomes_tables_also_for_outlook_and_stays_wide_on_a_desktop():
    made = compiled(Format.MJML, MJML)

    assert made.problems == ()
    assert 'href="https://shop.org/?u={email}"' in made.html
    assert "<!--[if mso | IE]><table" in made.html
    assert "@media only screen and (min-width:480px)" in made.html
    assert made.plain == "Hello {first_name|friend}\nLook (https://shop.org/?u={email})\nBye"


EVERY_TAG = """<mjml><mj-head>
  <mj-title>Hi</mj-title><mj-preview>New shoes</mj-preview><mj-breakpoint width="400px" />
  <mj-font name="Ubuntu" href="https://fonts.org/ubuntu" />
  <mj-attributes><mj-all padding="0" /><mj-class name="big" font-size="20px" /><mj-text color="red" /></mj-attributes>
  <mj-style>p { color: red }</mj-style><mj-style inline="inline">b { color: red }</mj-style>
</mj-head><mj-body>
  <mj-hero><mj-text mj-class="big">Hello</mj-text></mj-hero>
  <mj-wrapper><mj-section><mj-group><mj-column>
    <mj-image src="https://shop.org/a.png" alt="Shoes" /><mj-divider /><mj-spacer />
    <mj-button href="https://shop.org/">Look</mj-button><mj-table><tr><td>1</td></tr></mj-table><mj-raw><p>x</p></mj-raw>
  </mj-column></mj-group></mj-section></mj-wrapper>
  <mj-section><mj-column>
    <mj-navbar><mj-navbar-link href="https://shop.org/">Shop</mj-navbar-link></mj-navbar>
    <mj-social><mj-social-element href="https://shop.org/" src="https://shop.org/s.png">Us</mj-social-element></mj-social>
  </mj-column></mj-section>
</mj-body></mjml>"""
ONLY_IN_BROWSERS = """<mjml><mj-body><mj-section><mj-column>
  <mj-carousel><mj-carousel-image src="https://shop.org/a.png" /></mj-carousel>
  <mj-accordion><mj-accordion-element><mj-accordion-title>Why</mj-accordion-title>
  <mj-accordion-text>So</mj-accordion-text></mj-accordion-element></mj-accordion>
</mj-column></mj-section></mj-body></mjml>"""


def test_every_tag_of_mjml_is_known():
    assert compiled(Format.MJML, EVERY_TAG).problems == ()
    assert not [told for told in compiled(Format.MJML, ONLY_IN_BROWSERS).problems if "MJML has no" in told]


def test_a_mistake_in_mjml_is_told_with_its_line():
    assert compiled(Format.MJML, MJML.replace("</mj-text>", "", 1)).problems == (
        "Line 4: </mj-column> closes nothing; <mj-text> is open here.",
    )
    assert "Line 2: MJML has no <mj-txt>." in compiled(Format.MJML, MJML.replace("mj-text>", "mj-txt>", 2)).problems
    assert compiled(Format.MJML, "hello").problems == (
        "MJML begins with <mjml> and holds an <mj-body>; start from the example.",
    )


def test_what_the_compiler_of_mjml_gives_up_on_is_told_as_a_mistake():
    style = '<mj-style><mj-image css-class="é"></mj-image></mj-style>'

    assert compiled(Format.MJML, MJML.replace("<mj-body>", f"<mj-head>{style}</mj-head><mj-body>")).problems == (
        "This is no valid MJML: a quote or a tag stands where none can be read.",
    )
    assert compiled(Format.MJML, MJML.replace("<mj-column>", f"<mj-column>{style}", 1)).problems == (
        "Line 1: <mj-style> belongs in <mj-head>.",
    )


def test_rules_are_written_into_tags_and_those_for_some_screens_stay_in_the_head():
    body = "<style>p{color:red} @media (max-width:400px){p{color:blue}} a:hover{color:green}</style><p>x</p>"

    made = compiled(Format.HTML, body)

    assert '<p style="color:red">x</p>' in made.html.replace(": ", ":").replace(';"', '"')
    assert "<style>@media (max-width:400px){p{color:blue}}a:hover{color:green}</style>" in made.html


def test_the_preheader_is_hidden_at_the_top_and_not_in_the_text():
    made = compiled(Format.HTML, "<p>Hello</p>", "For {first_name} & <you>")

    body = made.html.partition("<body>")[2]
    assert body.startswith('<div style="display:none;')
    assert "For {first_name} &amp; &lt;you&gt;" in body
    assert made.plain == "Hello"


def test_plain_text_is_sent_as_typed():
    assert compiled(Format.TEXT, "a <b> {first_name}") == ("", "a <b> {first_name}", ())


def test_the_text_part_reads_like_the_html():
    body = """<h1>News</h1><p>One&nbsp;two<br>three</p><ul><li>a</li><li>b<ol start=3><li>c</li></ol></li></ul>
    <table><tr><th>Size</th><th>Price</th></tr><tr><td>L</td><td>3&euro;</td></tr></table>
    <table role=presentation><tr><td>left</td><td>right</td></tr></table><pre>x  y
 z</pre><img src=https://x.org/a.png alt="A dog">
    <a href="https://x.org">https://x.org</a> <a href="mailto:a@x.org">a@x.org</a>
    <p style="display:none">secret</p><hr>"""

    assert compiled(Format.HTML, body).plain == (
        "News\n\nOne two\nthree\n\n- a\n- b\n  3. c\n\nSize | Price\nL | 3€\nleft\nright\n\nx  y\n z\n\n"
        "A dog https://x.org a@x.org\n\n--------------------"
    )


# Signs that mean something to one of the steps, between placeholders of every shape.
signs = st.text(alphabet="ab *_`#>[]()!|-~\n&;.:/'\"=\\", max_size=12)
placeholders = st.sampled_from(
    ["{first_name}", "{a_b|}", "{city|New York}", "{x|*you*}", '{x|say "hi"}', "{x|a & b < c}", "{unsubscribe_link}"]
)
texts = st.lists(st.tuples(signs, placeholders), max_size=5).map(lambda parts: "".join(a + b for a, b in parts))


@settings(max_examples=60, deadline=None)
@given(texts)
def test_placeholders_survive_every_step_in_text(text):
    body = f"<p>{text}</p>"

    made = compiled(Format.HTML, body)

    wanted = [found[0] for found in PLACEHOLDER.finditer(text.replace("\r", ""))]
    assert [found[0] for found in PLACEHOLDER.finditer(made.html)] == wanted or "<" in text
    assert made.problems == () or "<" in text


@settings(max_examples=40, deadline=None)
@given(st.lists(placeholders, min_size=1, max_size=4))
def test_placeholders_survive_markdown_links_and_attributes(found):
    path = "".join(p for p in found if "<" not in p)
    markdown = f"**{found[0]}** [{found[-1]}](https://x.org/{path})"

    made = compiled(Format.MARKDOWN, markdown)
    in_tags = compiled(Format.MJML, MJML.replace("{email}", path.replace('"', "&quot;")))

    assert f"<strong>{found[0]}</strong>" in made.html
    assert f'href="https://x.org/{path}"' in made.html
    assert f'href="https://shop.org/?u={path}"' in in_tags.html


def test_what_is_compiled_is_what_a_person_gets_with_his_or_her_values_made_harmless():
    made = compiled(Format.HTML, '<a href="https://x.org/?u={email}" title="{first_name}">Hi {first_name|"you"}</a>')
    renderer = Renderer(Channel.EMAIL, {(0, ""): Source("s", made.plain, made.html)})

    hers = renderer.rendered({"first_name": '"><script>alert(1)</script>', "email": '"&x=1'}).html

    assert "<script" not in hers
    assert 'href="https://x.org/?u=%22%26x%3D1"' in hers
    assert "Hi &quot;you&quot;</a>" in renderer.rendered({}).html
