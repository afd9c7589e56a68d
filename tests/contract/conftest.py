import pytest
import subjects_modbus

SUBJECTS = {
    "modbus-simulator": subjects_modbus.simulator,
    "modbus-libmodbus": subjects_modbus.libmodbus,
}


@pytest.fixture(params=list(SUBJECTS))
async def subject(request, tmp_path_factory):
    """Every device that the driver contract is run against."""
    async with SUBJECTS[request.param](tmp_path_factory.getbasetemp()) as subject:
        yield subject
