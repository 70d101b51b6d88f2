"""A client that follows the log: it keeps every position it is given, and goes on behind the last one."""

import httpx


class Follower:
    """Follows the log from its beginning, as often as it is told to connect."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.positions: list[int] = []
        self.ends = 0
        """How often the server has ended the stream in good order."""

    async def follow(self) -> None:
        """Take what comes until the stream ends. Raises httpx.TransportError when it breaks off."""
        headers = {"Accept": "text/event-stream"}
        if self.positions:
            headers["Last-Event-ID"] = str(self.positions[-1])
        timeout, at = httpx.Timeout(60), 0
        async with (
            httpx.AsyncClient(base_url=self.base, timeout=timeout) as client,
            client.stream("GET", "/events", params={"after": "0"}, headers=headers) as response,
        ):
            response.raise_for_status()
            async for line in response.aiter_lines():
                if line.startswith("id:"):  # alone it only says from where to go on
                    at = int(line[3:])
                elif line.startswith("data:"):
                    self.positions.append(at)
        self.ends += 1
