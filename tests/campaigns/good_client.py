"""A client that means well, as a process that does nothing else: posts and reads, one after the other.

It goes on until its standard input ends, and then prints one line of JSON: the seconds that each round took, how many
events were taken, and the processor seconds of its own.
"""

import json
import select
import sys
import time
from typing import Any

from campaigns.raw_http import Raw

AGREEMENT = 50
"""Events of an agreement, so that the answers stay as long as they are however long it goes on."""


class Good:
    """Posts the events of one agreement after the other, each followed by a look at the agreement."""

    def __init__(self, port: int, name: str) -> None:
        self.client = Raw(port)
        self.name = name
        self.posted = 0
        self.seconds: list[float] = []

    def once(self) -> None:
        """Post and read."""
        event = self._next()
        body = json.dumps(event).encode()
        began = time.perf_counter()
        head = (
            b"POST /events HTTP/1.1\r\nHost: registry.test\r\nContent-Type: application/cloudevents+json\r\n"
        )
        answered = self.client.ask(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert answered is not None
        assert answered.status == 201, answered
        self.posted += 1
        subject = event["subject"].encode()
        answered = self.client.ask(b"GET /agreements/%s HTTP/1.1\r\nHost: registry.test\r\n\r\n" % subject)
        assert answered is not None
        assert answered.status == 200, answered
        self.seconds.append(time.perf_counter() - began)

    def _next(self) -> dict[str, Any]:
        agreement, number = divmod(self.posted, AGREEMENT)
        subject = f"{self.name}-{agreement}"
        parties = [{"id": each, "kind": "state", "name": {"en": each}} for each in ("pak", "slv")]
        first = {"title": {"en": subject}, "parties": parties}
        planned = {"engagement_id": f"v{number}", "kind": "visit", "certainty": "expected"}
        return {
            "specversion": "1.0",
            "id": f"{subject}-{number}",
            "source": "https://registry.example/good",
            "type": f"agreement.{'engagement-planned' if number else 'registered'}.v1",
            "subject": subject,
            "data": planned if number else first,
        }


def main(port: int, name: str) -> None:
    """Go on until nobody listens any more."""
    good = Good(port, name)
    began = time.process_time()
    good.once()
    while not select.select([sys.stdin], [], [], 0)[0]:
        good.once()
    used = time.process_time() - began
    print(json.dumps({"seconds": good.seconds, "posted": good.posted, "cpu": used}))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
