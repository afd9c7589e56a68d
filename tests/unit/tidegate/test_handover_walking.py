import asyncio

import pytest

from edge_runtime.errors import StoreDamagedError
from edge_runtime.settings import load_settings
from simulators.manual_clock import ManualClock
from simulators.memory_device import MemoryDevices
from tidegate.edge.handover.automatic import check_all
from tidegate.edge.handover.checks import Progress, count, current_checks
from tidegate.edge.handover.comparing import DEFAULT_TOLERANCE, Tolerance
from tidegate.edge.handover.expectations import Expectation
from tidegate.edge.handover.keeping import load_progress, save_progress
from tidegate.edge.handover.walking import Walk

FILE = """\
gateway: {name: cellar-1}
devices:
  - name: meter
    protocol: memory
    points:
      - {name: voltage, unit: V, scale: 0.1, decimals: 1}
      - {name: tariff, kind: enumeration, labels: {1: day, 2: night}}
      - {name: reset, access: write}
      - {name: power, scale_point: exponent}
      - {name: exponent, kind: integer}
"""


class Person:
    """Types what a test says; then stops."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.heard = []

    def tell(self, text):
        self.heard.append(text)

    def ask(self, question):
        self.heard.append(question)
        answer = self.answers.pop(0) if self.answers else "q"
        if callable(answer):
            answer = answer()
        return answer


@pytest.fixture
def memory():
    memory = MemoryDevices()
    memory.place().values.update(voltage=2314, tariff=1, power=5, exponent=2)
    memory.place().data["voltage"] = bytes.fromhex("090a")
    return memory


@pytest.fixture
def devices(memory, tmp_path):
    def load(text=FILE):
        (tmp_path / "gateway.yaml").write_text(text)
        return load_settings(tmp_path / "gateway.yaml", lambda _: memory.driver()).devices

    return load


@pytest.fixture
def walk(devices):
    def go(person, progress=None, by="Ada"):
        saved = []
        walk = Walk(
            person, ManualClock(), asyncio.run, saved.append, by=by, tolerance=DEFAULT_TOLERANCE
        )
        done = walk.through(devices(), progress or Progress("cellar-1", 0))
        assert not saved or saved[-1] == done
        return done

    return go


def test_enter_accepts_what_the_display_shows_too(walk):
    check = walk(Person("")).checks["meter/voltage"]
    assert (check.verdict, check.expected, check.shown, check.by) == (
        "accepted", "231.4", "231.4", "Ada",
    )  # fmt: skip
    assert check.raw == "cell voltage: 09 0a"


def test_a_typed_value_that_fits_is_accepted(walk):
    check = walk(Person("231")).checks["meter/voltage"]
    assert (check.verdict, check.expected) == ("accepted", "231")


def test_a_typed_value_that_differs_is_asked_about(walk):
    check = walk(Person("400", "x", "wrong phase")).checks["meter/voltage"]
    assert (check.verdict, check.expected, check.note) == ("rejected", "400", "wrong phase")


def test_a_difference_can_be_accepted_with_a_reason(walk):
    check = walk(Person("400", "?", "a", "")).checks["meter/voltage"]
    assert (check.verdict, check.note) == ("accepted", "differs by -168.6")


def test_a_value_that_moves_between_display_and_read_still_fits(walk, memory):
    def types_while_it_moves():
        memory.place().values["voltage"] = 2500
        return "250"

    check = walk(Person(types_while_it_moves)).checks["meter/voltage"]
    assert (check.verdict, check.shown) == ("accepted", "250.0")


def test_reading_again_shows_the_new_value(walk, memory):
    def again():
        memory.place().values["voltage"] = 2400
        return "r"

    assert walk(Person(again, "")).checks["meter/voltage"].shown == "240.0"


def test_skipping_and_rejecting_take_a_note(walk):
    done = walk(Person("s", "no ladder", "x", "wrong tariff"))
    assert [(c.verdict, c.note) for c in done.checks.values()] == [
        ("skipped", "no ladder"),
        ("rejected", "wrong tariff"),
    ]


def test_a_bad_value_cannot_be_accepted_by_enter(walk, memory):
    del memory.place().values["voltage"]
    person = Person("", "s", "")
    check = walk(person).checks["meter/voltage"]
    assert (check.verdict, check.quality) == ("skipped", "bad")
    assert "there is no value to accept: s, x, r or q" in person.heard


def test_a_silent_device_can_be_rejected(walk, memory):
    memory.place().reachable = False
    check = walk(Person("231", "", "dead")).checks["meter/voltage"]
    assert (check.verdict, check.reason, check.note) == ("rejected", "no_answer", "dead")


def test_commands_are_no_part_of_it_and_scaled_points_are_read_with_their_scale(walk):
    done = walk(Person("", "", ""))
    assert set(done.checks) == {"meter/voltage", "meter/tariff", "meter/power"}
    assert done.checks["meter/power"].shown == "500"


def test_a_walk_goes_on_where_it_stopped(walk):
    first = walk(Person(""))
    person = Person("")
    second = walk(person, first, by="Bea")
    assert person.heard[0] == "1 of 4 points were checked before"
    assert [c.by for c in second.checks.values()] == ["Ada", "Bea"]


def test_what_was_checked_with_other_settings_is_open_again(walk, devices):
    done = walk(Person("", ""))
    changed = current_checks(devices(FILE.replace("scale: 0.1", "scale: 0.01")), done)
    assert count(changed) == {"accepted": 1, "rejected": 0, "skipped": 0, "open": 3}
    assert changed[0].note == "its settings changed since it was checked"


# --- on disk ------------------------------------------------------------------------------------


def test_progress_survives(walk, tmp_path):
    done = walk(Person("", "s", "why"))
    save_progress(tmp_path / "state", done)
    assert load_progress(tmp_path / "state", "cellar-1", 7) == done


def test_progress_of_another_gateway_is_not_taken(walk, tmp_path):
    save_progress(tmp_path, walk(Person("")))
    assert load_progress(tmp_path, "cellar-2", 7) == Progress("cellar-2", 7)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"gateway": 1}', b'{"gateway": "\xff"}'])
def test_damaged_progress_says_what_to_do(tmp_path, data):
    (tmp_path / "commissioning").mkdir()
    (tmp_path / "commissioning" / "progress.json").write_bytes(data)
    with pytest.raises(StoreDamagedError) as caught:
        load_progress(tmp_path, "cellar-1", 0)
    assert "--restart" in caught.value.hint


# --- by a list ----------------------------------------------------------------------------------


async def check_by_list(devices, **expected):
    expectations = {
        f"meter/{name}": Expectation(v, Tolerance(), "n") for name, v in expected.items()
    }
    progress = Progress("cellar-1", 0)
    return (await check_all(devices, expectations, progress, ManualClock(), "CI")).checks


async def test_a_list_accepts_and_rejects(devices):
    checks = await check_by_list(devices(), voltage="231.4", tariff="night")
    assert [c.verdict for c in checks.values()] == ["accepted", "rejected", "skipped", "skipped"]
    assert checks["meter/tariff"].note == "reads day; n"


async def test_a_silent_device_is_rejected_by_a_list(devices, memory):
    memory.place().reachable = False
    checks = await check_by_list(devices(), voltage="231.4")
    assert checks["meter/voltage"].verdict == "rejected"
    assert "nothing at 'here'" in checks["meter/voltage"].note
