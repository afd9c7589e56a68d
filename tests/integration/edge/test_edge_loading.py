import asyncio
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[3] / "examples" / "gateway.yaml"
RUNTIME = """
import sys
from pathlib import Path
from edge_runtime.host import runtime
from tidegate.edge.loading import load_gateway
load_gateway(Path(sys.argv[1]))
print(sorted({"httpx", "cryptography", "jwt", "fastapi"} & set(sys.modules)))
"""
AGENT = """
import sys
from pathlib import Path
from edge_runtime.settings import load_section
from tidegate.edge.running import AGENT_COMPONENTS, load_components
load_components(AGENT_COMPONENTS)
load_section(Path(sys.argv[1]))
print(sorted({"pymodbus", "fastapi", "psycopg"} & set(sys.modules)))
"""


async def loaded(code):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(EXAMPLE), stdout=asyncio.subprocess.PIPE
    )
    return (await process.communicate())[0].decode().strip()


async def test_the_runtime_loads_nothing_of_the_line():
    assert await loaded(RUNTIME) == "[]"


async def test_the_agent_loads_no_driver():
    assert await loaded(AGENT) == "[]"
