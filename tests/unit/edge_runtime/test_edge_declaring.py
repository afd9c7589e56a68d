from edge_runtime.declaring import catalogue, declare_points
from edge_runtime.settings import load_settings

GATEWAY = """\
gateway: {name: cellar-1}
devices:
  - name: pump
    protocol: memory
    place: cellar
    interval_s: 2
    max_silence_s: 30
    vendor: Acme
    points:
      - {name: level, unit: m, decimals: 2}
      - {name: state, kind: enumeration, labels: {0: "off", 1: "on"}, interval_s: 5}
      - {name: alarm, bit: 3, max_silence_s: 9}
"""


def settings(write, find_driver):
    return load_settings(write("gateway.yaml", GATEWAY), find_driver)


def test_a_device_is_declared_with_its_address(write, find_driver):
    (device,) = declare_points(settings(write, find_driver)).devices
    assert (device.name, device.protocol, device.address) == ("pump", "memory", "cellar")
    assert device.vendor == "Acme"


def test_points_inherit_what_the_device_says(write, find_driver):
    points = catalogue(settings(write, find_driver))
    level, state, alarm = (points[f"pump/{n}"] for n in ("level", "state", "alarm"))
    assert (level.interval_s, level.max_silence_s, level.decimals) == (2, 30, 2)
    assert (state.interval_s, state.labels) == (5, {"0": "off", "1": "on"})
    assert (alarm.kind, alarm.max_silence_s) == ("boolean", 9)
