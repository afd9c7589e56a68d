"""How names may look, as a pattern for the settings and in words for people."""

NAME = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
"""Of gateways, devices, profiles and rules."""
ADAPTER_NAME = r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?)?$"
"""Of adapters; none is the runtime itself."""
POINT_NAME = r"^[a-z][a-z0-9_]*$"
CLOUD_URL = r"^https://[^\s/]+(/\S*)?$"

IN_WORDS = {
    NAME: "lower-case letters, digits and '-' in between, such as pump-station",
    ADAPTER_NAME: "lower-case letters, digits and '-' in between, such as serial-1",
    POINT_NAME: "lower-case letters, digits and '_', a letter first, such as outlet_pressure",
    CLOUD_URL: "an address that begins with https://, such as https://cloud.example:8443",
}
