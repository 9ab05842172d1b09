"""Languages as people write them, and which words are read by whom."""

import pytest

from campaigns.languages import code_of, direction_of, fitting, name_of
from campaigns.models import Campaign, Format
from campaigns.rendering import renderer_of
from campaigns.spoken import somebody_who_speaks, spoken_in
from campaigns.wordings import marked, write_wording
from tests.make import make_campaign, make_recipient, make_workspace


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("el", "el"), ("EL", "el"), (" el_gr ", "el-GR"), ("Greek", "el"), ("Ελληνικά", "el"), ("ΕΛΛΗΝΙΚΑ", "el"),
        ("Deutsch", "de"), ("german", "de"), ("Kiswahili", "sw"), ("francais", "fr"), ("Brazilian Portuguese", "pt-BR"),
        ("zh_hans", "zh-Hans"), ("العربية", "ar"), ("", ""), ("yes", ""), ("xx", ""), ("e" * 500, ""), ("el-\x00", ""),
    ],
)  # fmt: skip
def test_a_language_is_understood_however_it_is_written(typed, code):
    assert code_of(typed) == code


def test_somebody_of_a_country_reads_the_language_where_the_country_has_no_words_of_its_own():
    assert fitting(["el", "pt-BR"], "el-CY") == "el"
    assert fitting(["el", "pt-BR"], "pt_br") == "pt-BR"
    assert fitting(["pt-BR"], "pt-PT") == ""
    assert (name_of("el-CY"), direction_of("ar-EG"), direction_of("el")) == ("Greek (CY)", "rtl", "ltr")


def greek(campaign: Campaign, **words) -> None:
    content = {"subject": "Γεια {first_name}", "body": "Αγαπητέ {first_name}"} | words
    write_wording(campaign, by=None, language="el", **content)


@pytest.mark.django_db
def test_who_speaks_it_reads_it_and_all_others_read_the_words_for_any_language():
    campaign = make_campaign(body="Dear {first_name}")
    greek(campaign)
    renderer = renderer_of(campaign)

    texts = {
        said: renderer.rendered({"first_name": "Zoe", "language": said}).text.split("\n")[0]
        for said in ("el", "Ελληνικά", "el-CY", "de", "", "yes")
    }

    assert [said for said, text in texts.items() if text == "Αγαπητέ Zoe"] == ["el", "Ελληνικά", "el-CY"]
    assert {text for said, text in texts.items() if said in ("de", "", "yes")} == {"Dear Zoe"}


@pytest.mark.django_db
def test_the_languages_of_the_audience_are_counted_as_they_will_be_read():
    workspace = make_workspace()
    for said in ("el", "Greek", "el-CY", "Deutsch", "nonsense"):
        make_recipient(workspace, attributes={"language": said})
    make_recipient(workspace)
    make_recipient(workspace, attributes={"language": "el"}, opted_out=True)
    make_recipient(make_workspace(), attributes={"language": "el"})
    campaign = make_campaign(workspace)
    greek(campaign)

    spoken = spoken_in(campaign)

    assert [(tongue.name, tongue.people) for tongue in spoken.written] == [("Greek", 3)]
    assert [(tongue.name, tongue.people) for tongue in spoken.others] == [("German", 1)]
    assert (spoken.of_default, spoken.of_other_languages, spoken.unread) == (3, 1, 2)
    assert somebody_who_speaks(campaign, "de").attributes == {"language": "Deutsch"}
    assert somebody_who_speaks(campaign, "fr") is None


@pytest.mark.django_db
def test_an_email_in_arabic_says_that_it_is_read_from_the_right():
    campaign = make_campaign(subject="Hi", body="# Hi", format=Format.MARKDOWN)
    write_wording(campaign, by=None, language="ar", subject="مرحبا", body="# مرحبا")

    assert '<html lang="ar" dir="rtl">' in campaign.wordings.get().html
    assert marked('<html dir="ltr"><p>', "ar") == '<html dir="ltr"><p>'
