"""Read models: disposable tables that answer what the log alone would answer slowly.

The way of an event through here: ``changes`` names the agreements that moved, the model gives the rows of each
agreement's state, ``runner`` writes them with the tracking in one transaction. A new read model is one file and one
line in ``catalogue``.
"""
