"""What the gateway has for the cloud: batches of samples and events in segment files of SQLite.

The runtime writes (:mod:`~edge_runtime.outbox.writer`, :mod:`~edge_runtime.outbox.collector`), the
agent reads (:mod:`~edge_runtime.outbox.reader`); they share the folder and nothing else.

    epoch                         random tag of this outbox; a new one where numbers may repeat
    account.json                  numbers that left it: sent and acknowledged, or lost
    samples/<first number>.db     segments, 20 digits
    events/<first number>.db
    quarantine/                   damaged files, for people
"""
