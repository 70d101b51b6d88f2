"""What is shown of an agreement: one file a group of items, each a pure function of the state and the day.

Lists are ordered by what the events say and by their identities, never by arrival.
"""
