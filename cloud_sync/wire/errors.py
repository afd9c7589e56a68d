"""What can be wrong with a message.

WireError
├── MessageDamagedError   the bytes are not what their sender sealed
└── MessageInvalidError   the bytes are whole but break a rule of the protocol
"""


class WireError(ValueError):
    """A message cannot be used."""


class MessageDamagedError(WireError):
    """The message was damaged on its way or on disk."""


class MessageInvalidError(WireError):
    """The message breaks a rule of the protocol."""
