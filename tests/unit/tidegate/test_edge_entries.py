import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.errors import SettingsError
from simulators.memory_device import MemoryDevices
from tidegate.edge.entries import add_devices, entry_text, with_devices

HEAD = "gateway: {name: cellar-1}  # ours\n"
NEW = {"name": "new", "protocol": "memory", "place": "there", "points": [{"name": "level"}]}

SHAPES = {
    "block": "devices:\n  - name: old\n    protocol: memory\n    points: [{name: a}]\n",
    "no indent": "devices:\n- name: old\n  points:\n  - {name: a}\n  - name: b\n    unit: m\n",
    "deep": "devices:\n      - name: old\n        points: [{name: a}]\n",
    "empty list": "devices: []  # none yet\n",
    "nothing": "devices:\n",
    "null": "devices: ~\n",
    "flow": "devices: [{name: old, points: [{name: a}]}]\n",
    "flow lines": "devices: [\n  {name: old},  # one\n]\n",
    "missing": "",
    "no newline": "devices:\n  - name: old",
    "comment below": "devices:\n  - name: old  # why\n    # and more\n\n# the end\n",
    "first": "devices:\n  - name: old\n\n# other\nother: {}\n",
    "anchors": "devices:\n  - &a {name: old}\n  - {name: b, like: *a}\n",
    "folded": "devices:\n  - name: old\n    description: >\n      long\n      text\n",
    "literal": "devices:\n  - name: old\n    description: |\n      long\n\n      text\n\n# end\n",
    "quoted": "devices:\n  - name: old\n    description: 'over\n      lines'\n",
    "document": "---\ndevices:\n  - name: old\n",
    "windows": "devices:\r\n  - name: old\r\n# end\r\n",
    "deep last": "devices:\n  - name: old\n    points:\n      - name: a\n        labels:\n          0: x\n          1: y\n",
}
REWRITTEN = {"empty list", "null", "flow", "flow lines"}
"""Where the line of the list itself has to change."""


def plain(text):
    return yaml.safe_load(text)


@pytest.mark.parametrize("shape", SHAPES)
def test_only_the_new_device_is_added(shape):
    text = SHAPES[shape] + HEAD if shape == "document" else HEAD + SHAPES[shape]
    changed = with_devices(text, [(NEW, "found today")])
    before, after = plain(text), plain(changed)
    assert after.pop("devices") == [*(before.pop("devices", None) or []), NEW]
    assert after == before


@pytest.mark.parametrize("shape", [s for s in SHAPES if s not in REWRITTEN])
def test_every_line_of_a_person_stays(shape):
    text = HEAD + SHAPES[shape].removeprefix("---\n")
    changed = with_devices(text, [(NEW, "found today")])
    left = iter(changed.splitlines())
    assert all(any(line in other for other in left) for line in text.splitlines())


def test_comments_below_the_list_stay_below():
    changed = with_devices(HEAD + SHAPES["comment below"], [(NEW, "found today")])
    assert changed.index("found today") < changed.index("# the end")


def test_lines_of_a_windows_file_end_as_before():
    changed = with_devices("gateway: {name: a}\r\n" + SHAPES["windows"], [(NEW, "")])
    assert changed.count("\n") == changed.count("\r\n")


def test_several_devices_each_get_their_comment():
    changed = with_devices(HEAD, [(NEW, "one"), (NEW | {"name": "two"}, "two")])
    assert [d["name"] for d in plain(changed)["devices"]] == ["new", "two"]
    assert changed.count("  # ") == 3


def test_an_entry_reads_well():
    assert entry_text(NEW, 2, "found") == (
        "  # found\n"
        "  - name: new\n"
        "    protocol: memory\n"
        "    place: there\n"
        "    points:\n"
        "      - {name: level}\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "- a\n",
        "gateway: {name: a}\ndevices: {a: 1}\n",
        "gateway: {name: a}\ndevices: old\n",
        "a: [\n",
    ],
)
def test_a_file_that_cannot_be_added_to_is_refused(text):
    with pytest.raises(SettingsError):
        with_devices(text, [(NEW, "")])


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30)


@given(st.dictionaries(st.sampled_from(["place", "vendor", "model", "x"]), TEXTS), TEXTS)
def test_whatever_a_device_says_stays_a_text(fields, words):
    entry = {"name": "new", **fields, "points": [{"name": "a", "description": words}]}
    assert plain(with_devices(HEAD, [(entry, "found")]))["devices"] == [entry]


# --- the file on disk ---------------------------------------------------------------------------


@pytest.fixture
def gateway(tmp_path):
    path = tmp_path / "gateway.yaml"
    path.write_text(f"{HEAD}devices:\n  - {{name: old, protocol: memory, points: [{{name: a}}]}}\n")
    return path


def find_driver(protocol):
    return MemoryDevices().driver()


def test_the_old_file_is_kept_as_a_backup(gateway):
    before = gateway.read_bytes()
    backup = add_devices(gateway, [(NEW, "")], find_driver)
    assert backup.read_bytes() == before
    assert "there" in gateway.read_text()
    assert {p.name for p in gateway.parent.iterdir()} == {gateway.name, backup.name}


def test_a_second_backup_does_not_replace_the_first(gateway):
    first = add_devices(gateway, [(NEW, "")], find_driver)
    second = add_devices(gateway, [(NEW | {"name": "more"}, "")], find_driver)
    assert first != second
    assert "there" not in first.read_text()


def test_rights_of_the_file_stay(gateway):
    gateway.chmod(0o640)
    backup = add_devices(gateway, [(NEW, "")], find_driver)
    assert [p.stat().st_mode & 0o777 for p in (gateway, backup)] == [0o640, 0o640]


@pytest.mark.parametrize("wrong", [{"name": "old"}, {"name": "Not A Name"}, {"timeout_s": -1}])
def test_what_would_not_load_changes_nothing(gateway, wrong):
    before = gateway.read_bytes()
    with pytest.raises(SettingsError):
        add_devices(gateway, [(NEW | wrong, "")], find_driver)
    assert gateway.read_bytes() == before
    assert [p.name for p in gateway.parent.iterdir()] == ["gateway.yaml"]
