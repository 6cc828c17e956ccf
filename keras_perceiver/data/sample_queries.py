"""Training on a sample of the output queries."""

import tensorflow as tf

from keras_perceiver.data import tensor_checks


def sample_queries(dataset: tf.data.Dataset, model, seed: int | None = None) -> tf.data.Dataset:
    """Samples the queries of each output that are decoded, and gathers their targets.

    For models whose outputs have `num_decoded`: an output of 800,000 pixels is trained on, for
    example, 512 pixels at a time, sampled anew for each example and each step.

    Args:
        dataset: Batches `(inputs, targets)`, dicts by name, with the complete targets.
        model: The `Perceiver` to be trained on them.
        seed: Fixes the draws; epochs still differ from each other.

    Returns:
        A `tf.data.Dataset` of `(inputs, targets)`: inputs with `<name>_indices`
        `(batch, num_decoded)`, targets `(batch, num_decoded, values)`.

    Raises:
        ValueError: if no output has `num_decoded`, or the targets of such an output are missing.

    Example:

    >>> model = kp.build_autoencoder(inputs, num_decoded={"video": 512, "audio": 32})
    >>> model.fit(kp.data.sample_queries(batches, model))

    Reference: Perceiver IO (arXiv 2107.14795), appendix G.
    """
    tensor_checks.seed("seed", seed)
    if not hasattr(model, "output_descriptions"):
        raise TypeError(f"`model` must be a Perceiver. Received: {type(model).__name__}")
    sampled = {
        key: (output.num_decoded, output.num_queries, output.num_classes is not None)
        for key, output in model.output_descriptions.items()
        if output.num_decoded is not None
    }
    if not sampled:
        raise ValueError("`model` must have an output with `num_decoded`. Received: none has")
    spec = tensor_checks.dataset("dataset", dataset).element_spec
    if not isinstance(spec, tuple) or len(spec) != 2 or not isinstance(spec[0], dict):
        raise ValueError(
            "`dataset` must have elements (inputs, targets), where inputs are a dict by name. "
            f"Received: elements {spec}"
        )
    one_target = not isinstance(spec[1], dict)
    missing = [] if one_target else sorted(set(sampled) - set(spec[1]))
    if missing:
        raise ValueError(
            f"`dataset` must have targets for {sorted(sampled)}. Received: none for {missing}"
        )
    seeds = tf.data.Dataset.random(seed, rerandomize_each_iteration=True).batch(2)

    def sample(element, seed):
        inputs, targets = element
        inputs, targets = dict(inputs), {None: targets} if one_target else dict(targets)
        for i, (name, (num_decoded, num_queries, takes_class)) in enumerate(
            sorted(sampled.items())
        ):
            key = None if one_target else name
            target = targets[key]
            batch = tf.shape(target)[0]
            indices = tf.random.stateless_uniform(
                (batch, num_decoded), seed + i, 0, num_queries, tf.int32
            )
            values = tf.size(target) // (batch * num_queries)
            by_query = tf.reshape(target, (batch, num_queries, values))
            targets[key] = tf.gather(by_query, indices, batch_dims=1)
            inputs[f"{name}_indices"] = indices
            if takes_class:
                targets[key] = tf.squeeze(targets[key], -1)
        return inputs, targets[None] if one_target else targets

    return tf.data.Dataset.zip(dataset, seeds).map(sample, num_parallel_calls=tf.data.AUTOTUNE)
