"""The log as a Merkle tree: entries, tree, tiles and proofs. Standard library only; no word of agreements.

``docs/log-format.md`` says the same for somebody who writes their own verifier.
"""
