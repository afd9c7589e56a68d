from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from cloud_api.access.caller import Role
from cloud_api.access.enrolment import RETRY_GRACE, Verdict, judge
from cloud_api.access.queries import ClaimRow

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEY, OTHER = b"k" * 32, b"o" * 32
FRESH = ClaimRow(uuid4(), NOW + timedelta(hours=1), 1, None, None)
USED = ClaimRow(uuid4(), NOW + timedelta(hours=1), 0, KEY, uuid4())


@pytest.mark.parametrize(
    ("claim", "key", "later", "verdict"),
    [
        (FRESH, KEY, timedelta(), Verdict.NEW),
        (FRESH, KEY, timedelta(hours=1), Verdict.REFUSED),
        (USED, KEY, timedelta(), Verdict.AGAIN),
        (USED, OTHER, timedelta(), Verdict.REFUSED),
        (USED, KEY, timedelta(hours=1), Verdict.AGAIN),
        (USED, KEY, timedelta(hours=1) + RETRY_GRACE, Verdict.REFUSED),
    ],
)
def test_a_claim_is_good_once_and_again_for_the_same_key_only(claim, key, later, verdict):
    assert judge(claim, key, NOW + later) is verdict


@pytest.mark.parametrize(
    ("role", "needed", "allowed"),
    [
        (Role.ADMIN, Role.OPERATOR, True),
        (Role.OPERATOR, Role.OPERATOR, True),
        (Role.VIEWER, Role.OPERATOR, False),
    ],
)
def test_a_role_may_do_what_the_ones_below_may(role, needed, allowed):
    assert role.allows(needed) is allowed
