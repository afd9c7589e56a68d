from edge_runtime.errors import StoreError
from edge_runtime.outages import Outages


class _FullDisk:
    def save_state(self, name, content):
        raise StoreError("full")

    def drop_state(self, name):
        raise StoreError("full")

    def load_states(self):
        return {"silent/pump": b"7", "silent/odd": b"x", "rule/high": b"1"}


def test_a_full_disk_only_makes_outages_forgetful():
    outages = Outages(_FullDisk())
    assert (outages.since_us("pump"), outages.since_us("odd")) == (7, None)
    outages.begin("fan", 9)
    outages.end("pump")
    assert (outages.since_us("pump"), outages.since_us("fan")) == (None, 9)
