"""How large one event may be; what is larger is quarantined, never cut."""

MAX_EVENT_BYTES = 1024 * 1024
MAX_LIST_BYTES = 16 * 1024 * 1024  # of a text that holds a list of them
MAX_TEXT_BYTES = 32 * 1024
MAX_ID_BYTES = 256
MAX_KEY_BYTES = 256
MAX_KEYS = 1000
MAX_ELEMENTS = 1000
MAX_DEPTH = 32
