import pytest

from components.sunspec.definitions import (
    UnknownFieldError,
    UnknownModelError,
    definition,
    known_models,
)
from components.sunspec.layout import (
    Block,
    Chain,
    NowhereError,
    Target,
    all_counters,
    counters,
    locate,
    next_block,
)


def chain_of(model, length=2_000, address=40_070):
    return Chain(40_000, (Block(1, 40_002, 66), Block(model, address, length)))


def target(model, field, *places, instance=1):
    return Target(model, instance, field, places)


def test_every_definition_is_understood():
    assert len(known_models()) > 100
    for number in known_models():
        model = definition(number)
        assert model.id == number
        assert model.group.fields["ID"].offset == 0
        assert model.group.fields["L"].offset == 1


def test_unknown_model_is_an_error():
    with pytest.raises(UnknownModelError, match="no SunSpec model 99"):
        definition(99)


def test_field_is_found_by_its_bare_name_where_that_is_clear():
    assert definition(160).find("DCW") == definition(160).find("module.DCW")
    with pytest.raises(UnknownFieldError, match="ambiguous"):
        definition(707).find("V")
    with pytest.raises(UnknownFieldError, match=r"is ambiguous in model 704: PFWInj\.PF, "):
        definition(704).find("PF")


def test_field_and_scale_factor_of_a_fixed_model():
    spot = locate(chain_of(103, 50), target(103, "W"), {})
    assert (spot.address, spot.scale) == (40_084, 40_085)


def test_group_that_fills_the_model_repeats_to_its_end():
    chain = chain_of(160, 8 + 3 * 20)
    spots = [locate(chain, target(160, "module.DCV", place), {}) for place in (1, 2, 3)]
    assert [spot.address for spot in spots] == [40_070 + 10 + 20 * i + 10 for i in range(3)]
    assert {spot.scale for spot in spots} == {40_073}
    with pytest.raises(NowhereError, match="no_index"):
        locate(chain, target(160, "module.DCV", 4), {})


def test_groups_within_groups_take_as_much_as_their_counts_say():
    chain = chain_of(705)
    counts = {(40_070, "NCrv"): 3, (40_070, "NPt"): 4}
    first, second = (
        locate(chain, target(705, "Crv.Pt.V", *places), counts) for places in ((1, 1), (2, 3))
    )
    group = definition(705).group
    curve = group.groups["Crv"]
    size = curve.size + 4 * curve.groups["Pt"].size
    assert first.address == 40_070 + group.size + curve.size
    assert second.address == first.address + size + 2 * curve.groups["Pt"].size
    with pytest.raises(NowhereError, match="no_index"):
        locate(chain, target(705, "Crv.Pt.V", 1, 5), counts)


def test_group_behind_others_starts_after_them():
    chain = chain_of(707)
    counts = {(40_070, "NCrvSet"): 1, (40_070, "NPt"): 2}
    spot = locate(chain, target(707, "Crv.MayTrip.ActPt", 1), counts)
    crv = definition(707).group.groups["Crv"]
    must = crv.groups["MustTrip"]
    start = 40_070 + definition(707).group.size + crv.size
    assert spot.address == start + must.size + 2 * must.groups["Pt"].size


def test_scale_factor_is_looked_for_outwards():
    spot = locate(chain_of(704), target(704, "PFWInj.PF"), {})
    assert spot.scale == 40_070 + definition(704).group.fields["PF_SF"].offset


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (target(203, "W"), "no_model"),
        (target(103, "W", instance=2), "no_model"),
        (target(103, "St"), "no_field"),
    ],
)
def test_what_is_not_there_has_a_reason(wanted, reason):
    with pytest.raises(NowhereError, match=reason):
        locate(chain_of(103, 20), wanted, {})


def test_counts_that_are_needed_are_named():
    chain = chain_of(705)
    wanted = counters(chain, [target(705, "Crv.Pt.V", 1, 1), target(203, "W")])
    assert set(wanted) == {(40_070, "NCrv"), (40_070, "NPt")}
    assert wanted == all_counters(chain.blocks[1])
    assert counters(chain, [target(705, "Ena")]) == {}


@pytest.mark.parametrize(
    ("header", "block"),
    [
        ("00670032", Block(103, 40_070, 50)),
        ("ffff0000", None),
        ("00000000", None),
        ("0067ffff", None),
    ],
)
def test_header_of_a_model_or_the_end(header, block):
    assert next_block(40_070, bytes.fromhex(header)) == block
