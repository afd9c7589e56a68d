from simulators.opcua.machine import CYCLE_S, LOW_L, MachiningCentre, State


def after(machine: MachiningCentre, seconds: float) -> MachiningCentre:
    for _ in range(int(seconds * 5)):
        machine.advance(0.2)
    return machine


def test_machine_makes_a_part_a_cycle():
    machine = MachiningCentre()
    parts = machine.parts
    assert after(machine, 5 * CYCLE_S + 1).parts == parts + 5


def test_machine_goes_through_its_states():
    machine, seen = MachiningCentre(), []
    for _ in range(int(CYCLE_S)):
        state = after(machine, 1).state
        if seen[-1:] != [state]:
            seen.append(state)
    assert seen == [State.SETTING_UP, State.CUTTING, State.CHANGING_PART, State.SETTING_UP]


def test_values_stay_believable_for_a_shift():
    machine = MachiningCentre()
    for _ in range(8 * 60):
        after(machine, 1)
        assert 0 <= machine.speed.value < 13_000
        assert 0 <= machine.load.value < 130
        assert 20 < machine.heat.value < 90
        assert machine.coolant_l >= LOW_L


def test_spindle_heats_with_its_load_and_energy_only_grows():
    machine = MachiningCentre()
    cold, before = machine.heat.value, machine.energy_kwh
    after(machine, 40)
    assert machine.heat.value > cold
    assert machine.energy_kwh > before


def test_started_program_stops_after_its_parts():
    machine = MachiningCentre(running=False)
    assert machine.start("O1", 2)
    assert not machine.start("O2", 1)
    assert after(machine, 2 * CYCLE_S + 1).state is State.STOPPED


def test_slower_feed_makes_fewer_parts():
    slow, fast = MachiningCentre(feed_override=40.0), MachiningCentre()
    assert after(slow, 600).parts < after(fast, 600).parts
