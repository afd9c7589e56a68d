"""What can be wrong with a payload.

ValueError
└── PayloadError     the message says what was found
"""


class PayloadError(ValueError):
    """The payload cannot be used."""
