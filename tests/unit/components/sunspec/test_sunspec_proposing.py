import pytest

from components.sunspec.definitions import known_models
from components.sunspec.layout import Block, Chain, NowhereError, all_counters, locate
from components.sunspec.proposing import CURVES, MAX_POINTS, counters_of, propose
from components.sunspec.settings import Settings

PROPOSED = sorted(known_models() - CURVES - {1})


def chain_of(*models, length=2_000):
    blocks, address = [], 2
    for model in models:
        blocks.append(Block(model, address, length))
        address = blocks[-1].end
    return Chain(0, tuple(blocks))


@pytest.mark.parametrize("model", PROPOSED)
def test_every_proposed_point_can_be_set_and_found(model):
    chain = chain_of(model)
    counts = dict.fromkeys(all_counters(chain.blocks[0]), 2)
    points = propose(chain, counts)
    assert points
    settings = Settings(name="found", host="a", points=points)
    assert len({point.name for point in settings.points}) == len(points)
    for point in settings.points:
        try:
            locate(chain, point.target, counts)
        except NowhereError as exc:
            pytest.fail(f"{point.field} {point.index}: {exc}")


def test_same_model_twice_is_told_apart():
    points = propose(chain_of(203, 203), {})
    assert {point.get("instance", 1) for point in points} == {1, 2}
    assert len({point["name"] for point in points}) == len(points)


def test_names_of_one_label_are_told_apart_by_their_models():
    points = propose(chain_of(103, 203), {})
    watts = {point["name"] for point in points if point["field"] == "W"}
    assert watts == {"watts_m103", "watts_m203"}


def test_garbage_of_a_device_is_bounded():
    chain = chain_of(*[160] * 90, length=600)
    assert len(propose(chain, {})) <= MAX_POINTS
    assert propose(chain_of(65_000, 999), {}) == []
    assert counters_of(chain_of(65_000, 705)) == {}
