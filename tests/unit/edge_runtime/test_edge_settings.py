from pathlib import Path

import pytest
from pydantic import BaseModel

from edge_runtime.driver import DeviceSettings
from edge_runtime.model import Point
from edge_runtime.problems import FileProblemsError
from edge_runtime.settings import anchor, load_section, load_settings

GOOD = """\
gateway:
  name: cellar-1
  state_dir: ./state
  cloud:
    url: https://cloud.example:8443
    claim: TGC-SECRET
devices:
  - name: pump
    protocol: memory
    interval_s: 2
    points:
      - name: pressure
        unit: bar
"""


@pytest.fixture
def load(write, find_driver):
    return lambda text: load_settings(write("gateway.yaml", text), find_driver)


@pytest.fixture
def problems(load):
    def problems_of(text):
        with pytest.raises(FileProblemsError) as caught:
            load(text)
        return [str(p).rpartition("gateway.yaml:")[2] for p in caught.value.problems]

    return problems_of


def test_a_good_file_becomes_settings_with_absolute_paths(load, tmp_path):
    settings = load(GOOD)
    assert settings.name == "cellar-1"
    assert settings.state_dir == tmp_path / "state"
    assert settings.devices[0].settings.points[0].unit == "bar"
    assert settings.devices[0].settings.interval_s == 2


def test_a_gateway_without_devices_and_cloud_is_fine(load):
    settings = load("gateway: {name: cellar-1}\n")
    assert settings.devices == ()
    assert settings.cloud is None


def test_the_claim_is_in_no_repr(load):
    assert "TGC-SECRET" not in repr(load(GOOD))


def test_the_claim_is_in_no_error(problems):
    text = GOOD.replace("claim: TGC-SECRET", "claim: [TGC-SECRET]")
    assert "TGC-SECRET" not in "".join(problems(text))


def test_an_unknown_field_is_suggested_with_its_line(problems):
    text = GOOD.replace("interval_s", "intervall_s")
    assert problems(text) == [
        "10: devices[0].intervall_s: unknown field; did you mean 'interval_s'?"
    ]


def test_a_wrong_value_says_what_was_found_and_what_is_allowed(problems):
    text = GOOD.replace("unit: bar", "scale: wide")
    (line,) = problems(text)
    assert line.startswith("13: devices[0].points[0].scale: found 'wide'; expected a valid number")


def test_a_wrong_word_of_a_choice_is_suggested(problems):
    found = problems(GOOD.replace("unit: bar", "kind: intger"))
    assert found[0].endswith("did you mean 'integer'?")


def test_all_errors_are_told_at_once(problems):
    text = GOOD.replace("cellar-1", "Cellar 1").replace("interval_s: 2", "interval_s: 0")
    assert [line.split(": ")[1] for line in problems(text)] == [
        "gateway.name",
        "devices[0].interval_s",
    ]


def test_a_missing_field_points_at_its_mapping(problems):
    text = GOOD.replace("- name: pressure\n        unit: bar", "- unit: bar")
    assert problems(text) == ["12: devices[0].points[0].name: is missing"]


def test_a_duplicate_key_is_refused(problems):
    text = GOOD.replace("interval_s: 2", "interval_s: 2\n    interval_s: 3")
    assert problems(text) == ["11: devices[0].interval_s: stands twice, first in line 10"]


def test_a_device_name_is_used_once(problems):
    text = GOOD + "  - {name: pump, protocol: memory, points: [{name: a}]}\n"
    assert problems(text) == [
        "14: devices[1].name: 'pump' is already the name of the device in line 8"
    ]


def test_a_point_name_is_used_once(problems):
    text = GOOD + "      - name: pressure\n"
    assert problems(text) == ["14: devices[0].points[1].name: 'pressure' stands twice"]


def test_a_scale_point_must_exist(problems):
    text = GOOD.replace("unit: bar", "scale_point: pressure_sf")
    assert "no point 'pressure_sf' in this device" in problems(text)[0]


def test_an_unknown_protocol_names_its_line(problems):
    text = GOOD.replace("protocol: memory", "protocol: memroy")
    assert problems(text)[0].startswith("9: devices[0].protocol: no driver for 'memroy'")


def test_an_unknown_section_is_refused(problems):
    assert problems(GOOD + "device: []\n") == [
        "14: device: unknown section; known are gateway, devices"
    ]


def test_claim_and_claim_file_exclude_each_other(problems):
    text = GOOD.replace("claim: TGC-SECRET", "claim: TGC-SECRET\n    claim_file: claim.txt")
    assert "not both" in problems(text)[0]


def test_the_cloud_is_reached_over_https_only(problems):
    assert "gateway.cloud.url" in problems(GOOD.replace("https:", "http:"))[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("gateway: [", "not YAML"),
        ("- 1\n", "expected the sections"),
        ("gateway: !!python/object:os.system {}\n", "gateway"),
        ("? [a, b]\n: 1\n", "a key must be"),
        ("gateway: 5\n", "expected a mapping"),
        ("gateway: {name: a}\ndevices: 7\n", "expected a list"),
        ("gateway: {name: a}\ndevices: [7]\n", "expected a mapping"),
    ],
)
def test_what_is_no_settings_file_is_refused(problems, text, said):
    assert said in "\n".join(problems(text))


def test_a_missing_file_is_named(tmp_path, find_driver):
    with pytest.raises(FileProblemsError, match="cannot be read: No such file"):
        load_settings(tmp_path / "gateway.yaml", find_driver)


def test_an_alias_bomb_is_refused(problems):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 8)}]" for i in range(1, 12)]
    assert "more than" in problems("\n".join(lines) + "\n")[0]


def test_an_alias_to_itself_is_refused(problems):
    assert problems("gateway: &g {name: *g}\n") == ["1: gateway.name: '*g' holds itself"]


def test_an_alias_to_nothing_is_refused(problems):
    assert problems("gateway: *g\n") == ["1: gateway: '*g' is named nowhere"]


def test_an_alias_stands_for_its_value(load):
    text = GOOD + "  - {name: &n second, protocol: memory, description: *n, points: [{name: a}]}\n"
    assert load(text).devices[1].settings.description == "second"


def test_a_second_document_is_refused(problems):
    assert "a second document begins" in problems(GOOD + "---\ngateway: {}\n")[0]


@pytest.mark.parametrize("tag", ["!!set", "!!python/name:os.system", "!vault"])
def test_a_tag_is_refused(problems, tag):
    assert "gateway.name" in problems(f"gateway: {{name: {tag} a}}\n")[0]


def test_a_quoted_number_stays_text(load):
    text = GOOD.replace("unit: bar", 'unit: "1"')
    assert load(text).devices[0].settings.points[0].unit == "1"


def test_the_section_of_the_gateway_is_read_without_its_devices(write):
    text = GOOD.replace("protocol: memory", "protocol: unheard-of")
    section = load_section(write("gateway.yaml", text))
    assert (section.name, section.devices) == ("cellar-1", ())


def test_errors_in_the_section_are_told(write):
    with pytest.raises(FileProblemsError, match=r"gateway\.name"):
        load_section(write("gateway.yaml", GOOD.replace("cellar-1", "Cellar")))


class Keys(BaseModel):
    ca_file: Path | None = None
    name: str = "x"


class Secured(DeviceSettings):
    password_file: Path
    tls: Keys = Keys()


def test_relative_paths_of_a_device_count_from_the_files_folder():
    settings = Secured(
        name="d", points=(Point(name="p"),), password_file="secret", tls=Keys(ca_file="pki/ca.pem")
    )
    anchored = anchor(settings, Path("/etc/tidegate"))
    assert anchored.password_file == Path("/etc/tidegate/secret")
    assert anchored.tls.ca_file == Path("/etc/tidegate/pki/ca.pem")
    assert anchor(anchored, Path("/elsewhere")) == anchored
