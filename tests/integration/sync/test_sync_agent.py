"""The agent as a component: documents, half-open lines, status, verify."""

import asyncio

import pytest

from cloud_sync.errors import EnrolmentError, IdentityError, LineDownError, NotKeptError
from cloud_sync.identity.enrolment import enrol
from cloud_sync.transports.gateway_api import open_gateway_api
from cloud_sync.transports.https import Patience
from cloud_sync.wire.downlink import Document
from cloud_sync.wire.uplink import Backlog, Upload
from components.sync.agent import fetch_streams, run
from components.sync.inbox import PatientInbox
from edge_runtime.clock import SystemClock
from edge_runtime.host.context import Context
from edge_runtime.inbox.reader import InboxReader
from edge_runtime.inbox.writer import InboxWriter

HURRIED = Patience(connect_s=0.3, answer_s=0.3, silence_s=0.3)
DOCUMENT = Document("d1", "command", 1, 2, {"name": "refresh"})


@pytest.fixture
async def api(cloud, line, tmp_path):
    """The API through the line, for a gateway that has no patience."""
    url = f"https://127.0.0.1:{line.port}"
    claim = str(cloud.books.new_claim())
    identity = await enrol(tmp_path / "id", url=url, claim=claim, name="a", version="1")
    async with open_gateway_api(identity, url, SystemClock(), HURRIED) as opened:
        yield opened


async def test_a_document_is_in_the_inbox_and_acknowledged(site, until):
    async with site.agent():
        await until(lambda: site.cloud.listeners)
        site.cloud.send_document(DOCUMENT)
        await until(lambda: site.cloud.books.acknowledged == ["d1"])
    reader = InboxReader(site.context.folders.inbox)
    assert [document for _, document in reader.documents()] == [DOCUMENT]
    reader.close()


async def test_a_document_from_an_outage_comes_afterwards(site, until):
    async with site.agent():
        await until(lambda: site.cloud.listeners == 1)
        await site.line.cut()
        site.cloud.send_document(DOCUMENT)
        await site.line.restore()
        await until(lambda: site.cloud.books.acknowledged == ["d1"])


async def test_a_downlink_whose_token_was_refused_comes_back_with_another(site, until):
    async with site.agent():
        await until(lambda: site.cloud.listeners == 1)
        site.cloud.books.tokens.clear()
        await site.line.cut()
        await site.line.restore()
        await until(lambda: site.cloud.listeners == 2)


async def test_a_full_inbox_is_waited_for(site, until):
    inbox = InboxWriter(site.context.folders.inbox, site.context.clock, max_documents=1)
    late = site.context.clock.wall_us() + 10**12
    assert PatientInbox(inbox).put(Document("d1", "command", 1, late, {}))
    with pytest.raises(NotKeptError) as caught:
        PatientInbox(inbox).put(Document("d2", "command", 1, late, {}))
    assert "fewer commands" in caught.value.hint
    inbox.close()


async def test_a_half_open_line_is_found_by_the_uplink(api, line):
    await api.send(Upload(Backlog(0, 0), "1"))
    line.stall()
    with pytest.raises(LineDownError, match="no answer in time"):
        await api.send(Upload(Backlog(0, 0), "1"))
    await line.restore()
    await api.send(Upload(Backlog(0, 0), "1"))


async def test_a_silent_downlink_is_found(api, cloud):
    cloud.silent = True
    listening = api.documents()
    assert await anext(listening) is None, "it opened"
    assert await anext(listening) is None, "the comment that greets"
    with pytest.raises(LineDownError, match="no answer in time"):
        await asyncio.wait_for(anext(listening), timeout=2)


async def test_an_agent_waits_for_the_cloud_to_enrol(site, until):
    await site.line.cut()
    async with site.agent() as task:
        await until(lambda: site.status["line"]["errors"] > 0)
        assert not task.done()
        await site.line.restore()
        await until(lambda: site.cloud.books.uploads)


async def test_without_a_claim_the_agent_says_what_is_missing(site, cloud):
    bare = site.context.settings.cloud.model_copy(update={"claim": None})
    settings = site.context.settings.model_copy(update={"cloud": bare})
    with pytest.raises(EnrolmentError, match="no claim") as caught:
        await run(Context(settings, SystemClock(), "0.1.0"))
    assert "gateway.cloud.claim" in caught.value.hint
    assert site.status["line"]["last_error"] == str(caught.value)


async def test_a_claim_can_lie_in_a_file(site, until, tmp_path):
    claim = tmp_path / "claim"
    claim.write_text(site.context.settings.cloud.claim.get_secret_value() + "\n")
    cloud = site.context.settings.cloud.model_copy(update={"claim": None, "claim_file": claim})
    settings = site.context.settings.model_copy(update={"cloud": cloud})
    site.context = Context(settings, SystemClock(), "0.1.0")
    async with site.agent():
        await until(lambda: site.cloud.books.uploads)


async def test_a_gateway_without_a_cloud_has_no_agent(site):
    settings = site.context.settings.model_copy(update={"cloud": None})
    await run(Context(settings, SystemClock(), "0.1.0"))


async def test_the_status_tells_the_backlog_and_the_last_acknowledgement(site, until):
    await site.read(2)
    async with site.agent():
        await until(lambda: site.status["line"]["uploaded_batches"] == 2)
        line = site.status["line"]
    assert line["state"] == "connected"
    assert line["backlog_batches"] == 0
    assert line["last_ack_us"] > 0
    assert site.status["line"]["state"] == "stopped"


async def test_verify_asks_the_cloud_what_it_has(site, until):
    await site.read(2)
    async with site.agent():
        await until(lambda: site.acknowledged == ((1, 3),))
    url = site.context.settings.cloud.url
    reply = await fetch_streams(site.context.settings.state_dir, url, SystemClock())
    assert [(s.stream, s.received) for s in reply.streams] == [("samples", "{[1,3)}")]


async def test_verify_needs_an_enrolled_gateway(tmp_path):
    with pytest.raises(IdentityError, match="no gateway was enrolled"):
        await fetch_streams(tmp_path, "https://127.0.0.1:1", SystemClock())
