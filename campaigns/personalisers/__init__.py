"""Who can write words for each person beyond what is known of them. A new one is a file and a line here."""

from typing import Any

from campaigns.personalisers.opening import Opening
from campaigns.personalisers.recommendations import Recommendations

PERSONALISERS: dict[str, Any] = {"opening": Opening, "recommendations": Recommendations}
