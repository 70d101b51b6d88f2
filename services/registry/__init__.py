"""Agreement Registry: every statement ever made about a bilateral agreement, kept and provable.

The words of this package, used nowhere with another meaning:

agreement         one bilateral instrument; its id is the stream id and the CloudEvents ``subject``
event             one claim, immutable, identified by (source, id); has a position and a version
stream            the events of one agreement
position          dense global number of an event, from 1; Merkle leaf index = position - 1
expected version  the version a writer believes an agreement has
state             what the fold has collected; ``evolve`` is one step of it
decide            the pure function that accepts or rejects a posted event against a state
projection        what keeps a read model up to date; its place in the log is its tracking
read model        a disposable table, or set of tables, built by a projection
checkpoint        a signed statement of tree size and root
part              one separately erasable piece of an event
commitment        the salted hash of a part, which the entry holds
entry             the exact canonical bytes hashed into the leaf
claim             a source's value for a predicate
dispute           a predicate with differing claims
"""

__version__ = "0.1.0"
