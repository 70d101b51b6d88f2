"""The report as a page: self-contained, printable, without any script."""

from html import escape

from registry.verifier.outcome import HOLDS
from registry.verifier.report import Report, in_words

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a }
h1 { font-size: 1.4rem; border-left: .4rem solid; padding-left: .8rem }
.yes { border-color: #1b6e3c } .no { border-color: #a3201d }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid #ccc }
th { white-space: nowrap; font-weight: 600 } td { overflow-wrap: anywhere }
@media print { body { margin: 0; font-size: 11px } tr { break-inside: avoid } }
"""


def html(report: Report) -> str:
    """Write the page."""
    rows = "\n".join(
        f'<tr><th scope="row">{escape(what)}</th><td>{escape(text)}</td></tr>'
        for what, text in in_words(report)
    )
    mark = "yes" if report.code == HOLDS else "no"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>Verification: {escape(report.verdict)}</title><style>{_STYLE}</style></head>\n"
        f'<body><h1 class="{mark}">{escape(report.verdict)} (exit code {report.code})</h1>\n'
        f"<table>\n{rows}\n</table></body></html>\n"
    )
