from cloud_api.access.throttle import MAX_KEYS, Throttle


def test_tries_run_out_and_come_back():
    throttle = Throttle(tries=2, refill_s=10)
    assert [throttle.take("a", 0.0) for _ in range(3)] == [0.0, 0.0, 10.0]
    assert throttle.take("a", 5.0) == 5.0
    assert throttle.take("a", 10.0) == 0.0


def test_keys_do_not_share_tries():
    throttle = Throttle(tries=1, refill_s=10)
    assert throttle.take("a", 0.0) == 0.0
    assert throttle.take("b", 0.0) == 0.0


def test_a_flood_of_keys_does_not_fill_the_memory():
    throttle = Throttle(tries=1, refill_s=10)
    for number in range(MAX_KEYS + 50):
        throttle.take(str(number), 0.0)
    assert len(throttle._buckets) == MAX_KEYS
