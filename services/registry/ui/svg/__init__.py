"""Drawings, made on the server: geometry in plain numbers, which a template writes as SVG."""
