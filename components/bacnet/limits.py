"""Numbers of the standard (ANSI/ASHRAE 135, ISO 16484-5), with the clause they stand in."""

PORT = 47_808
"""0xBAC0, Annex J.1."""
MAX_INSTANCE = 4_194_302
"""Of an object, 12: 22 bits, of which the last stands for "not initialised"."""
ANY_INSTANCE = 4_194_303
"""Device instance by which a device answers for itself whatever its own (15.5.2)."""
MAX_PRIORITY = 16
RESERVED_PRIORITY = 6
"""Of minimum on and off times (19.2.3): the device's own."""
APDU_SIZES = (50, 128, 206, 480, 1_024, 1_476)
"""Longest messages that can be declared, 20.1.2.5; the last is what fits Ethernet."""
MAX_APDU = APDU_SIZES[-1]
SAFE_APDU = 480
"""Taken of a device that does not say: an MS/TP controller behind a router."""
MAX_SEGMENTS = 64
MAX_DATAGRAM = 1_497 + 4
"""Annex J.2: the longest NPDU and the BVLL header; longer ones are thrown away."""
MAX_LIFETIME_S = 86_400

DEVICE = 8
"""Object type of the device itself (21, BACnetObjectType)."""

# Properties (21, BACnetPropertyIdentifier)
ACTIVE_TEXT = 4
COV_INCREMENT = 22
DESCRIPTION = 28
FIRMWARE_REVISION = 44
INACTIVE_TEXT = 46
MAX_APDU_LENGTH = 62
MAX_PRESENT_VALUE = 65
MIN_PRESENT_VALUE = 69
MODEL_NAME = 70
NUMBER_OF_STATES = 74
OBJECT_IDENTIFIER = 75
OBJECT_LIST = 76
OBJECT_NAME = 77
OUT_OF_SERVICE = 81
PRESENT_VALUE = 85
PRIORITY_ARRAY = 87
SERVICES_SUPPORTED = 97
RELIABILITY = 103
RELINQUISH_DEFAULT = 104
SEGMENTATION_SUPPORTED = 107
STATE_TEXT = 110
STATUS_FLAGS = 111
UNITS = 117
VENDOR_NAME = 121

CONFIRMED_REPORT, UNCONFIRMED_REPORT = 1, 2
"""Services by which a device reports: numbers of confirmed and of unconfirmed ones."""

# Confirmed services (21, BACnetConfirmedServiceChoice); numbers of BACnetServicesSupported are equal
SUBSCRIBE_COV = 5
READ_PROPERTY = 12
READ_PROPERTY_MULTIPLE = 14
WRITE_PROPERTY = 15
SUBSCRIBE_COV_PROPERTY = 28
SERVICE_BITS = {SUBSCRIBE_COV: 5, READ_PROPERTY_MULTIPLE: 14, SUBSCRIBE_COV_PROPERTY: 38}
"""Bits of BACnetServicesSupported."""

SERVICES = {
    SUBSCRIBE_COV: "subscribe-cov",
    READ_PROPERTY: "read-property",
    READ_PROPERTY_MULTIPLE: "read-property-multiple",
    WRITE_PROPERTY: "write-property",
    SUBSCRIBE_COV_PROPERTY: "subscribe-cov-property",
}

SEGMENTED_BOTH, SEGMENTED_TRANSMIT = 0, 1
"""BACnetSegmentation of devices that can answer in several parts."""
