"""What the cloud has for the gateway: acknowledged numbers and documents.

The agent writes ``inbox/inbox.db`` (:mod:`~edge_runtime.inbox.writer`), the runtime reads it
(:mod:`~edge_runtime.inbox.reader`) and notes in its own ``journal.db`` what it did
(:mod:`~edge_runtime.inbox.journal`).
"""
