"""Those who write words for each person: what they say, what they may not give back, and how long they may take."""

import threading
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.authoring import create_campaign
from campaigns.faults import InvalidContent
from campaigns.models import Source
from campaigns.personalisers import PERSONALISERS
from campaigns.personalisers.brief import Brief, Options
from campaigns.personalisers.limits import AT_ONCE, LONGEST, Failed, Slow, generated
from campaigns.personalisers.opening import Opening
from campaigns.personalisers.recommendations import RecommendationOptions, Recommendations, catalogue_in
from campaigns.preview import preview
from tests.make import make_recipient, make_workspace

BRIEF = Brief("our spring sale", date(2026, 5, 4))
NAIROBI = {"location": "Nairobi", "preferred_product": "Shoes", "language": ""}


def answering(*answers, gives=("opening",)):
    """A personaliser that gives back just this, or raises it."""

    class Fake:
        title = about = "Fake"
        asks = ("location",)
        options = Options

        def __init__(self, options=None):
            pass

        defaults = staticmethod(dict)

        def learn(self, workspace):
            return {}

        def generate(self, people, brief):
            if isinstance(answers[0], Exception):
                raise answers[0]
            return [*answers]

    Fake.gives = gives
    return Fake


def written(*answers):
    return generated(answering(*answers)(), [{}] * len(answers), BRIEF, seconds=5)


def test_an_opening_speaks_of_the_place_the_product_and_what_the_campaign_is_about():
    opening = Opening({"tone": "plain"})

    both, nowhere = opening.generate([NAIROBI, dict.fromkeys(NAIROBI, "")], BRIEF)

    assert both == {"opening": "For everybody in Nairobi who likes Shoes: our spring sale."}
    assert nowhere == {}


def test_the_same_person_gets_the_same_opening_and_others_get_other_ones():
    opening = Opening(Opening.defaults())
    people = [NAIROBI | {"location": f"Town {n}"} for n in range(20)]

    first, second = opening.generate(people, BRIEF), opening.generate(people[::-1], BRIEF)

    assert first == second[::-1]
    assert {words["opening"].split(" ")[0] for words in first} == {"Greetings", "How"}


def test_nobody_who_reads_another_language_gets_an_english_opening():
    greek, english = Opening({}).generate([NAIROBI | {"language": "Ελληνικά"}, NAIROBI | {"language": "en-GB"}], BRIEF)

    assert greek == {}
    assert english["opening"]


@given(*[st.text("{}|month about", max_size=30)] * 3)
@settings(max_examples=60)
def test_what_a_value_holds_is_never_looked_into(location, product, about):
    person = {"location": location + "{about}", "preferred_product": product + "{month}", "language": ""}

    (words,) = Opening({"tone": "plain"}).generate([person], Brief(about, BRIEF.day))

    assert location + "{about}" in words["opening"]
    assert product + "{month}" in words["opening"]


@pytest.mark.django_db
def test_people_are_recommended_what_others_of_their_place_like_and_never_their_own():
    workspace = make_workspace()
    likes = [
        ("Nairobi", "Shoes"),
        ("Nairobi", "Socks"),
        ("Nairobi", "Socks"),
        ("Kisumu", "Boat"),
        ("", "Hat"),
        ("", ""),
    ]
    for location, product in likes:
        make_recipient(workspace, location=location, preferred_product=product)
    make_recipient(make_workspace(), location="Nairobi", preferred_product="A secret of others")
    personaliser = Recommendations({"most": 2})
    brief = Brief("", BRIEF.day, personaliser.learn(workspace.pk))

    answers = personaliser.generate(
        [
            {"location": "nairobi", "preferred_product": "shoes"},
            {"location": "", "preferred_product": ""},
        ],
        brief,
    )

    assert answers == [{"recommendations": "Socks and Boat"}, {"recommendations": "Socks and Boat"}]


def test_the_catalogue_of_the_workspace_comes_first():
    personaliser = Recommendations({"most": 3, "catalogue": "Running shoes: Socks, Water Bottle"})

    (words,) = personaliser.generate([{"location": "Nairobi", "preferred_product": "Running Shoes"}], BRIEF)

    assert words == {"recommendations": "Socks and Water Bottle"}


def test_a_catalogue_that_cannot_be_read_is_refused_with_its_line():
    form = RecommendationOptions({"most": 3, "catalogue": "Shoes: Socks\r\nHat"})

    assert form.errors == {"catalogue": ["Line 2: write a product, a colon, and what goes with it."]}
    assert catalogue_in("Shoes: Socks, \n\n") == {"shoes": ["Socks"]}


@pytest.mark.parametrize(
    "nonsense",
    [
        {"opening": "two\nlines"},
        {"opening": "a bell \x07"},
        {"opening": "\ud800"},
        {"opening": "x" * (LONGEST + 1)},
        {"opening": 7},
        {"opening": ["Hi"]},
        "Hi",
        None,
    ],
)
def test_what_is_not_one_plain_line_is_not_used(nonsense):
    answer = written(nonsense, {"opening": "Hello {first_name}", "price": "0"})

    assert answer.words == [{}, {"opening": "Hello {first_name}"}]
    assert (answer.empty, answer.unusable) == (0, 1)


def test_whoever_gets_nothing_is_counted():
    answer = written({}, {"opening": ""}, {"opening": " "}, {"opening": " Hi,     you"})

    assert (answer.empty, answer.unusable, answer.words[-1]) == (3, 0, {"opening": "Hi, you"})


def test_an_answer_for_too_few_people_is_not_used():
    with pytest.raises(Failed, match="did not answer for each person"):
        generated(answering({"opening": "Hi"})(), [{}, {}], BRIEF, seconds=5)


def test_what_raises_has_failed_and_what_takes_too_long_is_slow():
    with pytest.raises(Failed, match="ZeroDivisionError"):
        written(ZeroDivisionError("secret of the provider"))

    over = threading.Event()
    slow = answering({})()
    slow.generate = lambda people, brief: over.wait(10)
    for _ in range(AT_ONCE):
        with pytest.raises(Slow, match="longer than"):
            generated(slow, [{}], BRIEF, seconds=0.01)
    with pytest.raises(Slow, match="still go on"):
        generated(slow, [{}], BRIEF, seconds=0.01)
    over.set()


@pytest.mark.django_db
def test_the_preview_shows_what_is_generated_and_the_fallback_where_nothing_is(monkeypatch):
    workspace = make_workspace()
    person = make_recipient(workspace, location="Nairobi", preferred_product="", attributes={"opening": "own"})
    shown = preview(workspace, person, Source("", "{opening|Dear friend}, hello"), brief="our spring sale")

    assert "Nairobi" in shown.body
    assert shown.generated.words["opening"] in shown.body
    assert shown.unknown == []

    monkeypatch.setitem(PERSONALISERS, "opening", answering(ZeroDivisionError()))
    shown = preview(workspace, person, Source("", "{opening|Dear friend}, hello"), brief="our spring sale")

    assert shown.body.startswith("Dear friend, hello")
    assert (shown.generated.missing, shown.generated.troubles) == (["opening"], ["Fake: it failed: ZeroDivisionError."])


@pytest.mark.django_db
def test_a_text_may_ask_for_generated_words_only_where_they_are_on():
    content = {"name": "Spring", "subject": "Hi", "body": "{opening|Hi}", "by": None}

    with pytest.raises(InvalidContent) as refusal:
        create_campaign(make_workspace(), **content)
    campaign = create_campaign(make_workspace(), generated_words=True, brief=" our sale ", **content)

    assert refusal.value.errors == {"body": ["To use {opening}, turn on generated words below the text."]}
    assert campaign.brief == "our sale"
