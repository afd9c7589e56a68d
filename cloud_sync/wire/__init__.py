"""The only thing both ends share: messages, limits, paths and error codes. Imports nothing of ours.

Compatibility rule: fields are added, never renamed or re-used; unknown fields are ignored; every
message of a released version stays decodable (``tests/unit/cloud_sync/wire/golden``).
"""
