"""Three templates of the demo: a mail that looks good, an offer in one SMS, and a newsletter quickly written."""

from typing import Any

from campaigns.models import Format
from people.channels import Channel

WELCOME = """<mjml>
  <mj-head>
    <mj-attributes>
      <mj-all font-family="Helvetica, Arial, sans-serif" />
      <mj-text font-size="16px" line-height="24px" color="#1b1f24" />
    </mj-attributes>
  </mj-head>
  <mj-body background-color="#f6f5f1">
    <mj-section background-color="#3346d3" padding="28px 20px">
      <mj-column>
        <mj-text color="#ffffff" font-size="24px" line-height="32px" font-weight="700">
          Welcome, {first_name|friend}
        </mj-text>
      </mj-column>
    </mj-section>
    <mj-section background-color="#ffffff" padding="20px">
      <mj-column>
        <mj-text>
          It is good to have you with us. From now on you hear first what is new in our shops in
          {location|your town}, and never more than twice a month.
        </mj-text>
        <mj-text>
          Until Sunday there is 20 % off {preferred_product|whatever you like best}: show this mail when you pay.
        </mj-text>
        <mj-button background-color="#3346d3" color="#ffffff" border-radius="8px" href="https://acme.example/shops">
          Find a shop
        </mj-button>
      </mj-column>
    </mj-section>
    <mj-section padding="16px 20px">
      <mj-column>
        <mj-text font-size="13px" line-height="20px" color="#5b616a">
          You get this because you signed up at Acme Kenya. <a href="{unsubscribe_link}">Unsubscribe</a>
        </mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>
"""
NEWSLETTER = """# What is new this week

Hello {first_name|there},

three things from our shops in {location|Kenya}:

- **New in:** running shoes for the rainy season, from 4,500 KES
- **Back again:** the tea set that was gone in two days
- **Open longer:** Fridays until 21:00

[See all that is new](https://acme.example/new)

See you soon,
Acme Kenya
"""
TEMPLATES: list[dict[str, Any]] = [
    {
        "name": "Welcome mail",
        "channel": Channel.EMAIL,
        "format": Format.MJML,
        "subject": "Welcome, {first_name|friend}",
        "preheader": "20 % off until Sunday, to begin with",
        "body": WELCOME,
    },
    {
        "name": "Weekend offer",
        "channel": Channel.SMS,
        "body": "Hi {first_name|there}, 20% off {preferred_product|everything} at Acme until Sunday. Show this SMS.",
    },
    {
        "name": "Newsletter",
        "channel": Channel.EMAIL,
        "format": Format.MARKDOWN,
        "subject": "{first_name|Hello}, what is new this week",
        "preheader": "Three things from our shops",
        "body": NEWSLETTER,
    },
]
