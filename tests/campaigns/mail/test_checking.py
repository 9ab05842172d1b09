"""Mistakes in an email are found before anybody gets it, and nothing is held against a good one."""

import pytest

from campaigns.mail.checking import checks_of
from campaigns.models import Campaign, Format

GOOD = '<p>Hi {first_name}</p><img src="https://acme.co.ke/a.png" alt="Shoes"><a href="{unsubscribe_link}">Stop</a>'


def found(body: str = GOOD, *, subject: str = "Spring is here", preheader: str = "New shoes", **fields) -> list[str]:
    sender = fields.pop("sender", "Acme <news@acme.co.ke>")
    words = Campaign(**({"format": Format.HTML, "body": body, "subject": subject, "preheader": preheader} | fields))
    return [check.sentence for check in checks_of(words, sender=sender)]


def test_nothing_is_found_in_a_good_email():
    assert found() == []
    assert found("Hi {first_name}, see https://acme.co.ke/sale. {unsubscribe_link}", format=Format.TEXT) == []


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("", "“Shop” leads nowhere: its address is empty."),
        ("#", "“Shop” leads nowhere: its address is empty."),
        ("https://", "Line 1: “https://” is no proper address."),
        ("https://shop", "“Shop” has no proper address: https://shop"),
        ("https://exa mple.org/", "Line 1: “https://exa mple.org/” is no proper address."),
        ("https://[x/", "Line 1: “https://[x/” is no proper address."),
        ("http://localhost:8000/x", "“Shop” leads to localhost, which nobody but this computer can reach."),
        ("https://192.168.1.4/", "“Shop” leads to 192.168.1.4, which nobody but this computer can reach."),
        ("https://www.example.com/x", "“Shop” leads to www.example.com, which only stands for another address."),
        ("http://acme.co.ke/", "“Shop” leads to http://acme.co.ke; browsers warn of it, https:// is better."),
    ],
)
def test_a_link_that_nobody_can_follow_is_found(address, sentence):
    assert found(f'{GOOD}<a href="{address}">Shop</a>') == [sentence]


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [
        ('src="http://127.0.0.1:8000/i/x.png"', "A picture is loaded from 127.0.0.1, which nobody but this computer"),
        (
            'src="http://localhost/x.png"',
            "A picture is loaded from localhost, which nobody but this computer can reach.",
        ),
        ('src="https://example.com/x.png"', "A picture is loaded from example.com, which only stands for another"),
        ('src=""', "A picture has no address."),
    ],
)
def test_a_picture_that_nobody_will_see_is_found(picture, sentence):
    [found_here] = found(f'{GOOD}<img {picture} alt="">')
    assert found_here.startswith(sentence)


@pytest.mark.parametrize("address", ["https://acme.co.ke/{first_name}.png", "https://{shop}.ke/x.png", "{website}"])
def test_a_picture_that_can_be_seen_is_left_alone(address):
    assert found(f'{GOOD}<img src="{address}" alt="">') == []


@pytest.mark.parametrize(
    "address",
    ["https://acme.co.ke/?u={email}", "mailto:a@acme.co.ke", "tel:+254700", "{website}", "#top", "https://{shop}.ke"],
)
def test_a_link_that_can_be_followed_is_left_alone(address):
    assert found(f'{GOOD}<a href="{address}">Shop</a>') == []


def test_a_link_that_says_another_host_than_it_leads_to_is_found():
    assert found(f'{GOOD}<a href="https://evil.ke/">www.bank.co.ke</a>') == [
        "“www.bank.co.ke” leads to evil.ke instead; filters take that for fraud."
    ]
    assert found(f'{GOOD}<a href="https://www.bank.co.ke/x">bank.co.ke</a>') == []


@pytest.mark.parametrize(
    ("subject", "part"),
    [
        ("S" + "o" * 60, "The subject has 61 characters; phones show about 45."),
        ("BUY NOW PLEASE", "all in capitals"),
        ("Buy! Now!", "several exclamation marks"),
        ("Re: your order", "begins with “Re:”"),
        ("🎉🎉🎉 Sale", "has 3 emoji"),
        ("Sale\u200b", "an invisible character (U+200B) at position 5"),
        ("Sale \u202egnp", "turn the direction of reading"),
        ("Your p\u0430ypal account", "mixes Latin and Cyrillic letters"),
    ],
)
def test_what_inboxes_hold_against_a_subject_is_found(subject, part):
    (sentence,) = found(subject=subject)

    assert part in sentence


def test_ordinary_subjects_in_any_script_are_left_alone():
    for subject in ("Зимняя распродажа для {first_name}", "Νέα από την Acme", "50% off, today only!", "ACME", "Café"):
        assert found(subject=subject) == []


def test_the_rest_of_the_list():
    assert found(subject="") == ["The email has no subject."]
    assert found("  ")[0] == "The message is empty."
    assert "so a line with one is added" in found("<p>Hi</p>")[0]
    assert "The picture has no alt text" in found(GOOD.replace(' alt="Shoes"', ""))[0]
    assert "Gmail shows the first 102 kB" in found(f"{GOOD}<p>{'é ' * 45_000}</p>")[0]
    assert "The text part is empty" in " ".join(found('<img src="https://acme.co.ke/a.png" alt="">'))
    assert found(preheader="")[0].startswith("There is no preheader")
    assert found(sender="")[0].startswith("No address is set up that it comes from")
    assert found("<p>\n<script>x</script></p>" + GOOD) == ["Line 2: <script> cannot be sent in an email; remove it."]


def test_a_picture_that_markdown_says_nothing_about_has_no_alt_text():
    sentence = "The picture has no alt text: who sees no pictures reads nothing there."
    text = "See {unsubscribe_link} ![%s](https://acme.co.ke/a.png)"

    assert sentence in found(text % "", format=Format.MARKDOWN)
    assert sentence not in found(text % "Shoes", format=Format.MARKDOWN)
    assert sentence not in found(GOOD.replace('"Shoes"', '""'))  # an ornament, as its author says


def test_what_stops_an_email_is_told_apart_from_what_is_worth_a_look():
    checks = checks_of(Campaign(format=Format.HTML, body="<form>x</form>", subject="BUY NOW PLEASE", preheader=""))

    assert [check.stops for check in checks] == [True, False, False, False]


def test_twenty_links_with_the_same_fault_are_not_twenty_sentences():
    links = "".join(f'<a href="http://acme.co.ke/{n}">Shop {n}</a>' for n in range(20))

    assert len(found(GOOD + links)) == 4
    assert found(GOOD + links)[-1] == "The same is so of 17 more."
