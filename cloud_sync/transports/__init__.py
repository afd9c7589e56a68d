"""Ways to carry the wire's messages: HTTPS; MQTT and Greengrass fit the same protocol."""

import sys

sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
"""httpx loads its own command line where click and rich are installed; that costs the agent 5 MB.
A module that is None cannot be imported, and httpx then goes without."""
