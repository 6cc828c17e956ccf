"""Counts the scans of a JPEG file without decoding it."""

import tensorflow as tf

MOST_SCANS = 64  # each scan of a progressive file is a pass over the whole image
MOST_SEGMENTS = 1024  # other segments: tables, thumbnails, profiles, comments
_START_OF_SCAN, _END_OF_IMAGE, _START_OF_IMAGE = 0xDA, 0xD9, 0xD8


def few_scans(encoded):
    """Whether a decoder meets at most 64 scans and 1,024 other segments in a JPEG file.

    The file is parsed as decoders do. Each segment states its length, and its contents are skipped,
    so markers within a thumbnail do not count. A scan ends at the next marker that is not a restart
    marker. Bytes after the end of the image are ignored.

    Args:
        encoded: String scalar: the bytes of a file that begins with a JPEG header.

    Returns:
        Boolean scalar.
    """
    data = tf.io.decode_raw(encoded, tf.uint8)
    size = tf.size(data)
    code = data[1:]
    is_marker = (data[:-1] == 0xFF) & (code >= 0xC0) & (code != 0xFF)
    is_marker &= tf.bitwise.bitwise_and(code, 0xF8) != 0xD0  # restarts
    markers = tf.cast(tf.where(is_marker)[:, 0], tf.int32)
    markers = tf.concat([markers, [size]], axis=0)  # the last one is the end of the file
    data = tf.concat([data, tf.constant([0xFF, _END_OF_IMAGE, 0, 0], tf.uint8)], axis=0)

    def goes_on(place, scans, segments):
        return (place >= 0) & (scans <= MOST_SCANS) & (segments <= MOST_SEGMENTS)

    def next_segment(place, scans, segments):
        marker = markers[tf.searchsorted(markers, [place])[0]]
        code, high, low = tf.unstack(tf.cast(data[marker + 1 : marker + 4], tf.int32), 3)
        length = tf.where(code == _START_OF_IMAGE, 0, tf.maximum(high * 256 + low, 2))
        place = tf.minimum(marker + 2 + length, size)
        place = tf.where(code == _END_OF_IMAGE, -1, place)
        is_scan = tf.cast(code == _START_OF_SCAN, tf.int32)
        return place, scans + is_scan, segments + 1 - is_scan

    _, scans, segments = tf.while_loop(goes_on, next_segment, [tf.constant(2), 0, 0])
    return (scans <= MOST_SCANS) & (segments <= MOST_SEGMENTS)
