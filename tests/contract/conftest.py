import pytest
import subjects_bacnet
import subjects_blueprint
import subjects_coap
import subjects_http
import subjects_modbus
import subjects_mqtt
import subjects_opcua
import subjects_sunspec

SUBJECTS = {
    "blueprint": subjects_blueprint.simulator,
    "bacnet-simulator": subjects_bacnet.simulator,
    "bacnet-js": subjects_bacnet.bacnet_js,
    "coap-simulator": subjects_coap.simulator,
    "coap-libcoap": subjects_coap.libcoap,
    "coap-server": subjects_coap.server,
    "http-poll-simulator": subjects_http.poll_simulator,
    "http-poll-peer": subjects_http.poll_peer,
    "http-push": subjects_http.push,
    "modbus-simulator": subjects_modbus.simulator,
    "modbus-libmodbus": subjects_modbus.libmodbus,
    "modbus-rtu-pty": subjects_modbus.rtu_pty,
    "modbus-rtu-libmodbus": subjects_modbus.rtu_libmodbus,
    "modbus-rtu-over-tcp": subjects_modbus.rtu_over_tcp,
    "opcua-simulator": subjects_opcua.simulator,
    "opcua-node-opcua": subjects_opcua.node,
    "sunspec-simulator": subjects_sunspec.simulator,
    "sunspec-libmodbus": subjects_sunspec.libmodbus,
    "mqtt-mosquitto-311": subjects_mqtt.mosquitto_311,
    "mqtt-mosquitto-5": subjects_mqtt.mosquitto_5,
    "mqtt-sparkplug": subjects_mqtt.sparkplug,
}


@pytest.fixture(params=list(SUBJECTS))
async def subject(request, tmp_path_factory):
    """Every device that the driver contract is run against."""
    async with SUBJECTS[request.param](tmp_path_factory.getbasetemp()) as subject:
        yield subject
