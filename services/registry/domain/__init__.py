"""What the registry knows about agreements: pure, without a clock, a database or a network.

values, edtf, duration, events   what an event may say
codec, cloudevents               between JSON and events
agreement                        the state: the live events, and how one more event changes them
decide, amending, advice         whether a posted event is accepted, and with which warnings (all in rulebook)
claims, merges                   which value is shown, where sources disagree, which parts are one
term, course, stages, status     what an agreement is on a day; explain and timeline say why and since when
view, shown                      what is shown of it; compare and history tell what an event changed
"""
