"""Sending a command, and waiting for the answer that the settings say will come."""

import asyncio

from components.mqtt.broker import Broker
from components.mqtt.client import Message, publish_properties
from components.mqtt.commands import Outgoing, answers
from components.mqtt.errors import (
    ACL_HINT,
    BrokerRefusedError,
    CommandUnansweredError,
    reason_text,
)
from components.mqtt.limits import NO_MATCHING_SUBSCRIBERS
from components.mqtt.settings import Command, Settings
from edge_runtime.errors import DeviceUnreachableError

SILENT_HINT = "Check that the device is on, and what it publishes: tidegate edge scan mqtt."


async def ask(broker: Broker, settings: Settings, command: Command, sent: Outgoing) -> Message:
    """Send a command and give its answer.

    Raises:
        DeviceUnreachableError: the broker is gone, or no answer came in time.
        DeviceRefusedError: the broker refused.

    """
    assert command.response_topic is not None
    response = settings.topic_of(command.response_topic)
    five = settings.version == "5.0"
    answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

    def listen(message: Message) -> None:
        if not answer.done() and answers(command, sent, message, five=five):
            answer.set_result(message)

    try:
        refused = await broker.subscribe([response], 1, listen)
        if refused:
            msg = f"the broker refused '{response}': {reason_text(refused[response])}"
            raise BrokerRefusedError(msg, hint=ACL_HINT)
        await publish_command(broker, settings, command, sent, response if five else "")
        async with asyncio.timeout(settings.timeout_s):
            return await answer
    except TimeoutError as exc:
        msg = f"no answer on '{response}' within {settings.timeout_s:g} s"
        raise CommandUnansweredError(msg, hint=SILENT_HINT) from exc
    finally:
        await broker.forget([response], listen)


async def publish_command(
    broker: Broker, settings: Settings, command: Command, sent: Outgoing, response: str = ""
) -> None:
    """Publish a command, with a response topic (5.0) where an answer is wanted.

    Raises:
        DeviceUnreachableError: the broker is gone, or says that nobody listens.
        DeviceRefusedError: the broker refused.

    """
    topic = settings.topic_of(command.topic)
    code = await broker.publish(
        topic,
        sent.payload,
        qos=command.qos,
        retain=command.retain,
        properties=publish_properties(response, sent.correlation_data) if response else None,
    )
    if code == NO_MATCHING_SUBSCRIBERS and not command.retain:
        msg = f"nobody listens on '{topic}'"
        raise DeviceUnreachableError(msg, hint=SILENT_HINT)
