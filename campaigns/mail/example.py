"""What somebody who never wrote MJML begins with."""

MJML = """\
<mjml>
  <mj-head>
    <mj-attributes>
      <mj-all font-family="Helvetica, Arial, sans-serif" />
      <mj-text font-size="16px" line-height="1.5" color="#1f2937" />
      <mj-button background-color="#3346d3" border-radius="8px" font-size="16px" inner-padding="14px 26px" />
    </mj-attributes>
  </mj-head>
  <mj-body background-color="#f6f5f1">
    <mj-section padding="32px 0 0">
      <mj-column>
        <mj-text font-size="26px" font-weight="700" line-height="1.25">Hello {first_name|there}</mj-text>
        <mj-text>Say here in one sentence what this is about.</mj-text>
        <mj-button href="https://">What to do next</mj-button>
      </mj-column>
    </mj-section>
    <mj-section padding="0 0 32px">
      <mj-column>
        <mj-text font-weight="700">First</mj-text>
        <mj-text>Two columns on a desktop.</mj-text>
      </mj-column>
      <mj-column>
        <mj-text font-weight="700">Second</mj-text>
        <mj-text>One below the other on a phone.</mj-text>
      </mj-column>
    </mj-section>
    <mj-section padding="0 0 32px">
      <mj-column>
        <mj-text font-size="13px" color="#5b616a">
          You get this because you asked for it. <a href="{unsubscribe_link}">Stop these emails</a>
        </mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>
"""
