"""Which notification is newer, and how long an observation may be silent; pure."""

from dataclasses import dataclass

from components.coap import limits


@dataclass(frozen=True, slots=True)
class Stamp:
    """A notification's number and when it arrived, in seconds of the loop."""

    number: int
    at_s: float


def is_newer(last: Stamp, fresh: Stamp) -> bool:
    """Tell whether a notification is newer than the last that was taken (RFC 7641 3.4).

    The same number again is a repetition and not newer.
    """
    ahead = fresh.number - last.number
    return (
        0 < ahead < limits.ORDER_SPAN
        or ahead < -limits.ORDER_SPAN
        or fresh.at_s > last.at_s + limits.ORDER_RESET_S
    )


def renewal_s(max_age_s: float, renew_after_s: float) -> float:
    """Decide after what silence an observed resource is asked again."""
    return min(max_age_s + limits.GRACE_S, renew_after_s)
