"""``registry-verify``: the auditor's own program, which trusts neither the registry nor its database.

outcome               exit codes, and how a verification ends
keys                  signatures on checkpoints, by keys that the auditor brings
strict                JSON and base64 in their one spelling
events, walk          one event by itself; all events in their order, and the tree over them
bundle, archive       evidence as files: a directory or a ZIP
database              evidence as the SQLite file of a registry
mirror, remote        evidence as a log that is served as static files, by a registry or by any other C2SP log
kept                  the last checkpoint seen of each log, and whether a later one extends it
replay                folding the events again: the only module that needs ``registry.domain``
report, page, main    what is said of it all, and the command line

Whatever hashes, proves and verifies signatures imports the standard library, ``cryptography`` and ``registry.merkle``
and nothing else, which is what has to be read in order to trust it.
"""
