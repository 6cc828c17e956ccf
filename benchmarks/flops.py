"""Operations of the published computation: plain attention, only matrix products, 2 for each
multiply-add, one example, forward pass. Operations that an implementation avoids are counted too,
so that the achieved fractions of a machine's rate are comparable."""


def dense(rows, *widths):
    return sum(2 * rows * a * b for a, b in zip(widths, widths[1:]))


def attend(queries, values, qk, v):
    """Scores and weighted sums."""
    return 2 * queries * values * (qk + v)


def block(queries, query_dim, values, value_dim, qk, v):
    """Projections, attention, output and a feed-forward block with the width of the queries."""
    projections = dense(queries, query_dim, qk) + dense(values, value_dim, qk)
    projections += dense(values, value_dim, v) + dense(queries, v, query_dim)
    feed_forward = dense(queries, query_dim, query_dim, query_dim)
    return projections + attend(queries, values, qk, v) + feed_forward


def latents(count, width, layers, qk=None, v=None):
    return layers * block(count, width, count, width, qk or width, v or width)


def encoder_attention(side=224, width=261):
    return block(512, 1024, side * side, width, width, width)


def perceiver(cross, depth, side=224):
    return cross * (encoder_attention(side) + latents(512, 1024, depth)) + dense(1, 1024, 1000)


def perceiver_imagenet():
    return perceiver(8, 6)


def perceiver_io_imagenet(pixels, width):
    """A cross-attend to so many pixels, 48 self-attends and a decoder of one query."""
    encoder = block(512, 1024, pixels, width, width, width)
    decoder = block(1, 1024, 512, 1024, 1024, 1024) + dense(1, 1024, 1000)
    return encoder + latents(512, 1024, 48) + decoder


def perceiver_io_imagenet_fourier():
    return perceiver_io_imagenet(224 * 224, 261)


def perceiver_io_imagenet_learned():
    pixels = 224 * 224
    return perceiver_io_imagenet(pixels, 512) + dense(pixels, 3, 256) + dense(pixels, 256, 256)


def perceiver_io_imagenet_conv():
    return perceiver_io_imagenet(56 * 56, 322) + dense(112 * 112, 7 * 7 * 3, 64)


def language():
    encoder = block(256, 1280, 2048, 768, 256, 1280)
    decoder = block(2048, 768, 256, 1280, 256, 768)
    return encoder + latents(256, 1280, 26, 256, 1280) + decoder + dense(2048, 768, 262)


def optical_flow():
    pixels = 368 * 496
    encoder = dense(pixels, 54, 64) + block(2048, 512, pixels, 322, 322, 322)
    decoder = block(pixels, 322, 2048, 512, 512, 512) + dense(pixels, 322, 2)
    return encoder + latents(2048, 512, 24) + decoder


def multimodal():
    """One of 128 chunks."""
    pixels, patches = 16 * 224 * 224 // 128, 15
    queries = pixels + patches + 1
    encoder = block(784, 512, 50176 + 1920 + 1, 704, 704, 704)
    decoder = block(queries, 1026, 784, 512, 512, 512) + dense(queries, 1026, 512)
    heads = dense(pixels, 512, 3) + dense(patches, 512, 16) + dense(1, 512, 700)
    return encoder + latents(784, 512, 8) + decoder + heads


FORWARD = {
    "encoder_attention": encoder_attention,
    "perceiver_imagenet": perceiver_imagenet,
    "perceiver_io_imagenet_fourier": perceiver_io_imagenet_fourier,
    "perceiver_io_imagenet_learned": perceiver_io_imagenet_learned,
    "perceiver_io_imagenet_conv": perceiver_io_imagenet_conv,
    "language": language,
    "optical_flow": optical_flow,
    "multimodal": multimodal,
    "inputs": encoder_attention,
    "depth": lambda depth=6, side=224: perceiver(1, depth, side),
}


def operations(case, batch, mode, **sizes):
    """Operations of one call; a training step counts as three forward passes."""
    return FORWARD[case](**sizes) * batch * {"forward": 1, "train": 3}[mode]
