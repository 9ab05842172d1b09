"""What an email may consist of. Everything else is left out, and told where it would be missed."""

from campaigns.mail.reading import VOID


def words(text: str) -> set[str]:
    return set(text.split())


TAGS = words(
    "a abbr address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del div dl dt "
    "em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p pre q s samp "
    "section small span strike strong sub sup table tbody td tfoot th thead tr tt u ul var wbr"
)
# Left out in silence: they do nothing for a reader, or the page is given its own.
NOT_MISSED = words("html head body title style meta link noscript xml template base param source track")
WITH_ALL_THEY_HOLD = words(
    "script style title textarea xmp iframe noembed noframes noscript object applet svg math video audio canvas "
    "template select xml mj-style"
)
BLOCKS = words(
    "address article aside blockquote center dd div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header hr li main "
    "nav ol p pre section table ul"
)
# A start tag of the first closes one of the others that is open in the same list or table.
CLOSES = {
    "li": {"li"},
    "dt": {"dt", "dd"},
    "dd": {"dt", "dd"},
    "td": {"td", "th"},
    "th": {"td", "th"},
    "tr": {"tr", "td", "th"},
    "tbody": {"tbody", "thead", "tfoot", "tr", "td", "th", "caption", "colgroup"},
    "a": {"a"},
}
CLOSES |= {"thead": CLOSES["tbody"], "tfoot": CLOSES["tbody"]}
FENCES = {
    "li": {"ul", "ol", "table", "td", "th"},
    "dt": {"dl", "table", "td", "th"},
    "dd": {"dl", "table", "td", "th"},
    "a": {"table", "td", "th"},
}
CELLS = {"table", "td", "th", "caption"}
OF_TABLES = {"table", "tbody", "thead", "tfoot", "tr", "td", "th", "caption", "colgroup"}

ATTRIBUTES = words(
    "align valign width height bgcolor border cellpadding cellspacing style class id title role lang dir color "
    "aria-label aria-hidden"
)
ATTRIBUTES_OF = {
    "a": {"href", "name", "target"},
    "img": {"src", "alt"},
    "table": {"background", "summary"},
    "td": {"colspan", "rowspan", "background", "nowrap", "scope"},
    "th": {"colspan", "rowspan", "background", "nowrap", "scope"},
    "font": {"face", "size"},
    "hr": {"size", "noshade"},
    "ol": {"type", "start", "reversed"},
    "ul": {"type"},
    "li": {"type", "value"},
    "col": {"span"},
    "colgroup": {"span"},
    "blockquote": {"cite"},
}
ADDRESSES = {"href", "src", "background", "cite"}
MAY_HOLD_PLACEHOLDERS = {"href", "src", "alt", "title", "background", "aria-label"}
SCHEMES = {"href": {"http", "https", "mailto", "tel", "sms"}}
SCHEMES_OF_IMAGES = {"http", "https"}

PROPERTIES = words(
    "background background-color background-image background-position background-repeat background-size border "
    "border-collapse border-color border-spacing border-style border-width border-radius border-top-left-radius "
    "border-top-right-radius border-bottom-left-radius border-bottom-right-radius box-shadow box-sizing caption-side "
    "clear color color-scheme cursor direction display empty-cells filter float font font-family font-size font-style "
    "font-variant font-weight height hyphens letter-spacing line-height list-style list-style-position "
    "list-style-type margin max-height max-width min-height min-width object-fit opacity outline overflow "
    "overflow-wrap overflow-x overflow-y padding supported-color-schemes table-layout text-align text-decoration "
    "text-decoration-color text-decoration-line text-indent text-overflow text-shadow text-transform "
    "text-underline-offset unicode-bidi vertical-align visibility white-space width word-break word-spacing "
    "word-wrap writing-mode -webkit-text-size-adjust -ms-text-size-adjust -ms-interpolation-mode "
    "-webkit-font-smoothing"
)
PROPERTIES |= {f"{box}-{side}" for box in ("margin", "padding") for side in ("top", "right", "bottom", "left")}
PROPERTIES |= {
    f"border-{side}{what}" for side in ("top", "right", "bottom", "left") for what in ("", "-color", "-style", "-width")
}
FUNCTIONS = {"rgb", "rgba", "hsl", "hsla", "calc", "min", "max", "clamp", "linear-gradient", "radial-gradient"}


def attributes_of(tag: str) -> set[str]:
    return ATTRIBUTES | ATTRIBUTES_OF.get(tag, set())


STAND_ALONE = VOID & TAGS
