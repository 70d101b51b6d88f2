"""How fast the registry is, measured beside a plain event store on the same machine in one run.

``python -m benchmarks`` from the checkout. It needs the dependency group ``bench``.
"""
