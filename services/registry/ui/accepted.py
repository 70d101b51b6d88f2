"""Whether a client asks for a page or for what programs read (RFC 9110 section 12.5.1)."""

from registry.http.problems import PROBLEM


def accepts_html(accept: str) -> bool:
    """Tell whether a client asks for pages by name, as browsers do, before JSON."""
    html = _weight(accept, "text/html")
    return html > 0 and html >= max(_weight(accept, "application/json"), _weight(accept, PROBLEM))


def prefers_json(accept: str) -> bool:
    """Tell whether a client asks for JSON by name, before pages."""
    return _weight(accept, "application/json") > _weight(accept, "text/html")


def _weight(accept: str, media_type: str) -> float:
    """Read how much a client wants a media type that it names; 0 when it does not."""
    for each in accept.split(","):
        name, *parameters = (piece.strip() for piece in each.split(";"))
        if name.lower() == media_type:
            for parameter in parameters:
                if parameter.startswith("q="):
                    try:
                        return float(parameter[2:])
                    except ValueError:
                        return 0.0
            return 1.0
    return 0.0
