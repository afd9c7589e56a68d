"""The agent's process: become known to the cloud, then send and listen until cancelled."""

import asyncio
import logging
from pathlib import Path

from cloud_sync.downlink import Downlink
from cloud_sync.errors import EnrolmentError, IdentityError, LineError
from cloud_sync.identity.enrolment import enrol
from cloud_sync.identity.files import Identity, load_identity
from cloud_sync.line import UPLINK, Line
from cloud_sync.status import SyncStatus
from cloud_sync.transports.gateway_api import open_gateway_api
from cloud_sync.uplink import Uplink
from cloud_sync.wire.identity import StreamsReply
from components.sync.inbox import PatientInbox
from components.sync.status import StatusFile
from edge_runtime.clock import Clock
from edge_runtime.host.context import Context, Folders
from edge_runtime.inbox.writer import InboxWriter
from edge_runtime.outbox.reader import OutboxReader
from edge_runtime.settings import CloudSettings

log = logging.getLogger(__name__)

_MAX_CLAIM_CHARS = 200


async def run(context: Context) -> None:
    """Carry the outbox to the cloud and documents into the inbox, for ever.

    Without a cloud in the settings there is nothing to do, and the gateway works alone.

    Raises:
        EnrolmentError: the cloud does not take this gateway; a new claim is needed.
        IdentityError: the files of the identity cannot be used.

    """
    cloud = context.settings.cloud
    if cloud is None:
        log.info("no cloud in the settings: the gateway works alone")
        return
    status = SyncStatus(url=cloud.url)
    async with StatusFile(context, status):
        line = Line(status, context.clock)
        identity = await become_known(context, cloud, line)
        await carry(context, cloud.url, identity, line)


async def become_known(context: Context, cloud: CloudSettings, line: Line) -> Identity:
    """Load the identity, or enrol; a line that is down is waited for.

    Raises:
        EnrolmentError: there is no claim, or the cloud refused it.
        IdentityError: the files of the identity cannot be used.

    """
    folder = context.folders.identity
    status = line.status
    while (identity := load_identity(folder)) is None:
        status.state = "enrolling"
        try:
            await enrol(
                folder,
                url=cloud.url,
                claim=read_claim(cloud),
                name=context.settings.name,
                version=context.version,
            )
        except LineError as exc:
            await line.failed(UPLINK, exc)
        except EnrolmentError as exc:
            status.last_error, status.hint = str(exc), exc.hint
            raise
    status.gateway = identity.gateway.gateway
    status.tenant = identity.gateway.tenant
    return identity


async def carry(context: Context, url: str, identity: Identity, line: Line) -> None:
    """Run uplink and downlink over one client."""
    outbox = OutboxReader(context.folders.outbox)
    writer = InboxWriter(context.folders.inbox, context.clock)
    inbox = PatientInbox(writer)
    try:
        async with open_gateway_api(identity, url, context.clock) as api:
            uplink = Uplink(outbox, inbox, api, line, clock=context.clock, version=context.version)
            downlink = Downlink(inbox, api, line, context.clock)
            async with asyncio.TaskGroup() as group:
                group.create_task(uplink.run())
                group.create_task(downlink.run())
    finally:
        outbox.close()
        writer.close()


def read_claim(cloud: CloudSettings) -> str:
    """Give the claim from the settings or from the file that they name.

    Raises:
        EnrolmentError: there is none.

    """
    if cloud.claim is not None:
        return cloud.claim.get_secret_value()
    hint = "make a claim on the site's page of the dashboard and put it into gateway.cloud.claim"
    if cloud.claim_file is None:
        msg = "this gateway is not enrolled, and its settings hold no claim"
        raise EnrolmentError(msg, hint=hint)
    try:
        with cloud.claim_file.open(encoding="utf-8") as file:
            return file.read(_MAX_CLAIM_CHARS)
    except (OSError, UnicodeDecodeError) as exc:
        msg = f"the claim cannot be read from {cloud.claim_file}"
        raise EnrolmentError(msg, hint=hint) from exc


async def fetch_streams(state_dir: Path, url: str, clock: Clock) -> StreamsReply:
    """Ask the cloud what it has of every stream of this gateway, for ``tidegate edge verify``.

    Raises:
        IdentityError: the gateway is not enrolled, or its identity cannot be used.
        LineError: the cloud could not be asked.

    """
    identity = load_identity(Folders(state_dir).identity)
    if identity is None:
        msg = f"no gateway was enrolled in {state_dir}"
        raise IdentityError(msg, hint="start it once with a claim: tidegate edge run gateway.yaml")
    async with open_gateway_api(identity, url, clock) as api:
        return await api.streams()
