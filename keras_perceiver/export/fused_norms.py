"""LayerNorms of a file for OpenVINO as one operation each."""

# Names of the norm of the inputs, whose mean may be far from 0.
RAW = ("encoder_cross_attention", "value_norm")


def fuse_norms(model):
    """Replaces LayerNorms that are written out in single operations by OpenVINO's `MVN`.

    In bfloat16 it computes mean and variance in float32, where single operations round each step;
    it takes one pass instead of seven; and its result can be rounded to int8 at once. Norms of raw
    inputs are first centred by themselves, since the rounding error of a large mean matters there.

    Args:
        model: An `openvino.Model`. It is changed.

    Returns:
        The number of norms that were replaced.
    """
    found = [norm for norm in map(_norm, model.get_ordered_ops()) if norm]
    for normed, centred, epsilon in found:
        _replace(normed, centred, epsilon)
    model.validate_nodes_and_infer_types()
    return len(found)


def _norm(node):
    """(`centred * inverse`, `centred`, epsilon) if a node is the product that ends a norm."""
    if node.get_type_name() != "Multiply":
        return None
    centred, inverse = _inputs(node)
    if centred.get_type_name() != "Subtract":
        return None
    # inverse = 1 / sqrt(mean(centred * centred) + epsilon)
    one, root = _inputs(inverse, "Divide")
    total, half = _inputs(root, "Power")
    mean, epsilon = _inputs(total, "Add")
    square, _ = _inputs(mean, "ReduceMean")
    twice = _inputs(square, "Multiply")
    numbers = [_number(x) for x in (one, half, epsilon)]
    if numbers[:2] != [1.0, 0.5] or numbers[2] is None or not _last_axis(mean):
        return None
    if any(x is None or x.get_friendly_name() != centred.get_friendly_name() for x in twice):
        return None
    return node, centred, numbers[2]


def _replace(normed, centred, epsilon):
    from openvino import opset13

    x = _inputs(centred)[0]
    if not all(name in normed.get_friendly_name() for name in RAW):
        while (less := _without_centring(x)) is not None:
            x = less
    norm = opset13.mvn(x, [-1], True, epsilon, "inside_sqrt")
    norm.set_friendly_name(normed.get_friendly_name())
    for reader in list(normed.output(0).get_target_inputs()):
        reader.replace_source_output(norm.output(0))


def _without_centring(node):
    """x if a node is x - mean(x), else None."""
    x, mean = _inputs(node, "Subtract")
    source, _ = _inputs(mean, "ReduceMean")
    same = source is not None and source.get_friendly_name() == x.get_friendly_name()
    return x if same and _last_axis(mean) else None


def _inputs(node, kind=None):
    """The two nodes that a node of a kind reads; (None, None) if it is another, or None."""
    if node is None or (kind and node.get_type_name() != kind) or node.get_input_size() != 2:
        return None, None
    return tuple(node.input_value(i).get_node() for i in range(2))


def _number(node):
    """The value of a constant with one element, else None."""
    if node is None or node.get_type_name() != "Constant" or node.data.size != 1:
        return None
    return float(node.data.reshape(-1)[0])


def _last_axis(mean):
    """Whether a ReduceMean is over the last axis alone and keeps it."""
    axes, rank = mean.input_value(1).get_node(), mean.get_output_partial_shape(0).rank
    if axes.get_type_name() != "Constant" or axes.data.size != 1 or rank.is_dynamic:
        return False
    return (
        int(axes.data.reshape(-1)[0]) in (-1, rank.get_length() - 1)
        and mean.get_attributes()["keep_dims"]
    )
