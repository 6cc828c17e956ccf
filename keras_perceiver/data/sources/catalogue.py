"""Messages of a compiled catalogue of translations."""

import struct


def catalogue(data: bytes) -> dict[str, list[str]]:
    """Reads the messages of a .mo file of GNU gettext, little-endian and in UTF-8.

    (Python's `gettext` answers for one message at a time and cannot list them.)

    Args:
        data: The bytes of the file.

    Returns:
        Dict from the English message to its translations: one, or one for each plural form. A
        message that differs by context alone ("May" the month, or short for it) has those of all
        contexts. The header is left out.

    Raises:
        ValueError: if the bytes are not such a file.

    Example:

    >>> catalogue(Path("de/LC_MESSAGES/django.mo").read_bytes())["Yes"]
    ['Ja']

    Reference: GNU gettext manual, "The Format of GNU MO Files".
    """
    magic = b"\xde\x12\x04\x95"
    if data[:4] != magic:
        raise ValueError(
            f"`data` must be a .mo file and begin with {magic!r}. Received: {data[:4]!r}"
        )
    count, messages, translations = struct.unpack_from("<3I", data, 8)

    def text(table, index):
        length, start = struct.unpack_from("<2I", data, table + 8 * index)
        return data[start : start + length].decode("utf8")

    found = {}
    for index in range(count):
        message = text(messages, index).rpartition("\4")[2].partition("\0")[0]
        if message:
            found.setdefault(message, []).extend(text(translations, index).split("\0"))
    return found
