"""What a start leaves for whoever needs it: libraries that take long to load."""

import subprocess
import sys

LEFT = ("alembic", "httpx", "icalendar", "jinja2", "jwt", "rich")
"""Together they took longer to load than all that a start needs."""
ASKED = f"""
import sys
from registry.cli.serve import application
from registry.config import Settings
application(Settings())
print(*(name for name in {LEFT} if name in sys.modules))
"""


def test_a_service_is_put_together_without_what_its_first_answer_does_not_need():
    ran = subprocess.run(
        [sys.executable, "-c", ASKED], stdout=subprocess.PIPE, text=True, timeout=60, check=True
    )

    assert ran.stdout.split() == []
