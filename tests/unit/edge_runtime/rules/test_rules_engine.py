import asyncio

import pytest

from edge_runtime.errors import StoreError
from edge_runtime.inbox.journal import Journal
from edge_runtime.model import Reading
from edge_runtime.normalise import Normalised
from edge_runtime.rules.engine import RuleEngine

OUTLET = "{above: 6.0, for_s: 5}"


class Site:
    """A rule engine with what it handed on; ``disk`` says whether events become durable."""

    def __init__(self, rules, path, clock):
        self.rules, self.path, self.clock = rules, path, clock
        self.events, self.disk = [], True
        self.start()

    def start(self):
        self.journal = Journal(self.path, self.clock)
        self.engine = RuleEngine(self.rules, self.journal, self.clock)

    def restart(self, rules=None):
        self.journal.close()
        self.rules = self.rules if rules is None else rules
        self.start()

    def read(self, value):
        reading = Reading("pump/pressure", value, received_us=self.clock.wall_us())
        self.engine.take(Normalised("pump", [reading], []))

    async def durable(self):
        if not self.disk:
            raise StoreError("full")

    async def settle(self):
        await self.engine.settle(self.events.append, self.durable)

    def kinds(self):
        return [event.kind for event in self.events]


@pytest.fixture
def site(bind, tmp_path, clock):
    site = Site([bind("{above: 6.0}")], tmp_path / "journal.db", clock)
    yield site
    site.journal.close()


async def test_an_alert_is_handed_on_once(site):
    site.read(6.5)
    await site.settle()
    await site.settle()
    assert site.kinds() == ["alert.raised"]


async def test_a_raised_alert_survives_a_restart_and_clears(site):
    site.read(6.5)
    await site.settle()
    site.restart()
    site.read(6.5)
    await site.settle()
    site.read(5.0)
    await site.settle()
    assert site.kinds() == ["alert.raised", "alert.cleared"]
    assert site.events[0].body["alert"] == site.events[1].body["alert"]


async def test_an_event_not_known_to_be_durable_is_sent_again_with_its_id(site):
    site.disk = False
    site.read(6.5)
    await site.settle()
    site.disk = True
    site.restart()
    await site.settle()
    assert [event.id for event in site.events] == [site.events[0].id] * 2
    site.restart()
    await site.settle()
    assert len(site.events) == 2


async def test_the_alert_of_a_removed_rule_is_cleared_once(site):
    site.read(6.5)
    await site.settle()
    site.restart([])
    await site.settle()
    site.restart([])
    await site.settle()
    assert site.kinds() == ["alert.raised", "alert.cleared"]


async def test_the_alert_of_a_changed_rule_is_cleared(site, bind):
    site.read(6.5)
    await site.settle()
    site.restart([bind("{above: 9.0}")])
    await site.settle()
    site.restart()
    assert site.kinds() == ["alert.raised", "alert.cleared"]


@pytest.mark.parametrize("content", [b'{"from": "another version"}', b'{"point": "\xff"}'])
async def test_a_strange_saved_state_is_dropped(site, content):
    site.journal.save_state("rule/high", content)
    site.journal.save_state("other/thing", b"1")
    site.restart()
    site.read(6.5)
    await site.settle()
    assert site.kinds() == ["alert.raised"]


async def test_the_engine_lets_time_pass(bind, tmp_path, clock):
    site = Site([bind(OUTLET)], tmp_path / "journal.db", clock)
    site.read(6.5)
    task = asyncio.ensure_future(site.engine.run(site.events.append, site.durable))
    await clock.advance(4.9)
    assert site.kinds() == []
    await clock.advance(0.4)
    assert site.kinds() == ["alert.raised"]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    site.journal.close()


async def test_states_tell_which_alert_is_raised(site):
    site.read(6.5)
    ((rule, state),) = site.engine.states()
    assert rule.name == "high"
    assert state.alert is not None
