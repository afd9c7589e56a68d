"""``adapter`` in gateway.yaml: which process reads a device."""

import pytest

from edge_runtime.errors import SettingsError
from edge_runtime.problems import FileProblemsError
from edge_runtime.settings import load_settings
from tidegate.edge.running import ADAPTER, adapter_of

SPLIT = """\
gateway: {name: cellar-1}
devices:
  - {name: pump, protocol: memory, place: a, adapter: serial-1, points: [{name: flow}]}
  - {name: fan, protocol: memory, place: a, adapter: serial-1, points: [{name: speed}]}
  - {name: meter, protocol: memory, place: b, points: [{name: power}]}
"""


@pytest.fixture
def load(write, find_driver):
    def load_text(text, **adapter):
        return load_settings(write("gateway.yaml", text), find_driver, **adapter)

    return load_text


def names(devices):
    return [device.settings.name for device in devices]


def test_devices_share_a_process_by_the_name_of_their_adapter(load):
    settings = load(SPLIT)
    assert settings.adapters() == ("serial-1",)
    assert names(settings.devices_of("serial-1")) == ["pump", "fan"]
    assert names(settings.devices_of("")) == ["meter"]


def test_an_adapter_knows_its_own_devices_only(load):
    assert names(load(SPLIT, adapter="serial-1").devices) == ["pump", "fan"]
    assert load(SPLIT, adapter="gone").devices == ()


def test_an_adapter_loads_no_driver_of_others(load):
    text = SPLIT.replace("name: meter, protocol: memory", "name: meter, protocol: not-there")
    assert names(load(text, adapter="serial-1").devices) == ["pump", "fan"]


def test_devices_on_one_line_need_one_adapter(load):
    text = SPLIT.replace(
        "name: fan, protocol: memory, place: a, adapter: serial-1",
        "name: fan, protocol: memory, place: a",
    )
    with pytest.raises(FileProblemsError, match="are on one line"):
        load(text)


def test_a_name_that_is_none_is_refused_with_its_place(load):
    with pytest.raises(FileProblemsError, match=r"devices\.0\.adapter|devices\[0\]\.adapter"):
        load(SPLIT.replace("adapter: serial-1", "adapter: ../x", 1))


def test_an_adapter_is_not_for_a_profile_to_say(load, write, tmp_path):
    write(
        "profiles/pumps.yaml",
        "profile: pumps\ntitle: Pumps\nvendor: V\nmodel: M\nprotocol: memory\ndocument: none\n"
        "evidence: from documentation\ndefaults: {adapter: serial-9}\npoints: [{name: flow}]\n",
    )
    text = (
        "gateway: {name: cellar-1, profiles: [profiles]}\n"
        "devices: [{name: pump, protocol: memory, profile: pumps}]\n"
    )
    with pytest.raises(FileProblemsError, match="profile's defaults"):
        load(text)


@pytest.mark.parametrize("part", ["runtime", "agent"])
def test_the_parts_of_every_gateway_are_no_adapters(part):
    assert adapter_of(part) is None


def test_a_part_names_its_adapter():
    assert adapter_of(ADAPTER + "serial-1") == "serial-1"


@pytest.mark.parametrize("part", ["adapters", "adapter:", "adapter:../x", ""])
def test_an_unknown_part_is_refused(part):
    with pytest.raises(SettingsError) as caught:
        adapter_of(part)
    assert "adapter:NAME" in caught.value.hint
