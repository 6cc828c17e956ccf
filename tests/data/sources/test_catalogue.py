import struct

import pytest

from keras_perceiver.data.sources.catalogue import catalogue


def mo_file(messages):
    """The bytes of a catalogue, by the description in the manual of gettext."""
    strings = [part.encode() for side in zip(*sorted(messages.items())) for part in side]
    count, header = len(messages), 28
    start = header + 16 * count
    table = b""
    for string in strings:
        table += struct.pack("<2I", len(string), start)
        start += len(string) + 1
    fields = (0x950412DE, 0, count, header, header + 8 * count, 0, start)
    return struct.pack("<7I", *fields) + table + b"".join(s + b"\0" for s in strings)


def test_messages_contexts_and_plurals():
    data = mo_file(
        {
            "": "Language: xx\n",
            "Yes": "Так",
            "month\4May": "Травень",
            "short\4May": "Трав.",
            "%d day\0%d days": "%d день\0%d дні\0%d днів",
        }
    )
    assert catalogue(data) == {
        "Yes": ["Так"],
        "May": ["Травень", "Трав."],
        "%d day": ["%d день", "%d дні", "%d днів"],
    }


def test_it_agrees_with_python(tmp_path):
    import gettext
    import io

    data = mo_file({"": "Content-Type: text/plain; charset=UTF-8\n", "Yes": "はい", "No": "いいえ"})
    known = gettext.GNUTranslations(io.BytesIO(data))
    assert catalogue(data) == {word: [known.gettext(word)] for word in ("Yes", "No")}


def test_another_file_is_refused():
    with pytest.raises(ValueError, match="`data` must be a .mo file"):
        catalogue(b"msgid 'Yes'")
