"""Whether the bytes of a sound file end before the sound does."""

_RIFF_OF_UNKNOWN_SIZE = (0, 0xFFFFFFFF)  # as programs write that cannot go back to the header


def ends_early(contents, promised, found):
    """Whether a file that was decoded without an error is only the beginning of one.

    libsndfile decodes the beginning of a WAV, Ogg or MP3 file as if it were all. It reports
    truncated FLAC files itself.

    Args:
        contents: The bytes of the file.
        promised: Number of samples in its header, or a guess of libsndfile.
        found: Number of samples that could be decoded.

    Returns:
        A bool. It is False, too, where the format cannot tell: an MP3 file without a Xing or VBRI
        header, or a WAV file with an unknown size.
    """
    if contents[:4] in (b"RIFF", b"RIFX"):
        return _riff_ends_early(contents)
    if contents[:4] == b"OggS":
        return not _last_page_ends_a_stream(contents)
    return found < promised and _header_counts_frames(contents)


def _riff_ends_early(contents):
    order = "little" if contents[:4] == b"RIFF" else "big"
    place = 12
    while place + 8 <= len(contents):
        size = int.from_bytes(contents[place + 4 : place + 8], order)
        if contents[place : place + 4] == b"data":
            return size not in _RIFF_OF_UNKNOWN_SIZE and place + 8 + size > len(contents)
        place += 8 + size + size % 2
    return False


def _last_page_ends_a_stream(contents):
    """Whether the last whole page of an Ogg file has the flag "end of stream"."""
    place = len(contents)
    while (place := contents.rfind(b"OggS", 0, place)) >= 0:
        lengths = contents[place + 27 : place + 27 + contents[place + 26]]
        end = place + 27 + len(lengths) + sum(lengths)
        if contents[place + 4] == 0 and end <= len(contents):
            return bool(contents[place + 5] & 4)
    return False


def _header_counts_frames(contents):
    """Whether the first frame of an MP3 file states how many follow."""
    place = 0
    if contents[:3] == b"ID3":  # four bytes of seven bits each
        high, middle, low, lowest = contents[6:10]
        place = 10 + (high << 21 | middle << 14 | low << 7 | lowest)
    first = contents[place : place + 200]
    return any(tag in first for tag in (b"Xing", b"Info", b"VBRI"))
