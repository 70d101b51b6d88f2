"""Pages for people that belong to the API: written on the server, without a script or a foreign host."""

import re
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from html import escape

from registry.http.answer import HTML, Answer, Asked, digest, fresh_or_304

STYLE = """
:root { color-scheme: light dark; --ink: #1b1d21; --soft: #575d68; --paper: #fdfdfb; --line: #d9dade;
  --code: #f1f1ee; --link: #1a4f9c; --good: #1d6b3a; --bad: #a02c2c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e5e8; --soft: #a4a9b3; --paper: #16181b;
  --line: #363a41; --code: #22252a; --link: #8db8f5; --good: #7fce9c; --bad: #f09a9a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 54rem; background: var(--paper);
  color: var(--ink); font: 1.0625rem/1.6 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.9rem; line-height: 1.25; } h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); }
h3 { margin-top: 2.25rem; font-size: 1.1rem; } h4 { margin: 1.5rem 0 .25rem; font-size: 1rem; }
a { color: var(--link); } a:focus-visible, summary:focus-visible { outline: 3px solid var(--link); }
code { padding: .1em .3em; border-radius: .25em; background: var(--code);
  font: .9em ui-monospace, monospace; }
pre { overflow-x: auto; padding: .9rem 1rem; border-radius: .4rem; background: var(--code); }
pre code { padding: 0; background: none; }
.wide { overflow-x: auto; } table { width: 100%; border-collapse: collapse; font-size: .95rem; }
th, td { padding: .45rem .75rem .45rem 0; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; }
th { color: var(--soft); font-weight: 600; } .soft { color: var(--soft); }
.method { color: var(--good); font-weight: 700; } .bad { color: var(--bad); font-weight: 600; }
details { margin: .4rem 0; } summary { cursor: pointer; }
"""

SECURITY = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; "
    f"frame-ancestors 'none'; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'",
    "Referrer-Policy": "no-referrer",
}

_CODE = re.compile(r"`([^`]+)`")


def page(request: Asked, title: str, body: str) -> Answer:
    """Answer with a page. ``title`` is text, ``body`` is HTML."""
    content = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)} · Agreement Registry</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    ).encode()
    return fresh_or_304(request, content, etag=digest(content), media_type=HTML, headers=SECURITY)


def prose(text: str) -> str:
    """Make HTML of a sentence in which code stands between backquotes."""
    return _CODE.sub(r"<code>\1</code>", escape(text, quote=False))


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Make a table of cells that are HTML."""
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    lines = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    inner = f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{lines}\n</tbody>"
    return f'<div class="wide"><table>\n{inner}\n</table></div>'


def details(name: str, body: str) -> str:
    """Make a section that opens at its name, which is also where a link finds it."""
    return f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>\n{body}\n</details>'
