"""Decoding of a chunk of queries at a time."""

import keras
import numpy as np

from keras_perceiver import arguments
from keras_perceiver.models.input_checks import InputChecks


class ChunkedDecoder:
    """Decodes each output of a model separately, in chunks of queries.

    It uses the layers of the model's decoder. When an output is first decoded, it builds a
    functional model from latents and indices to the rows of these queries.

    Args:
        decoder: The functional model `decoder`.
        outputs: The model's bound outputs by name.
    """

    def __init__(self, decoder, outputs):
        (self.latents,) = (t for t in decoder.inputs if t.name == "latents")
        self.decoder, self.outputs = decoder, outputs
        self._models, self._askers = {}, {}

    def forget_compiled(self):
        """Drops the functional models made so far; called after their layers were changed."""
        self._models.clear()
        self._askers.clear()

    def decode(self, latents, output, inputs, indices, chunk_size):
        """See `Perceiver.decode`."""
        arguments.optional_whole_number("chunk_size", chunk_size)
        latents = self._checked_latents(latents)
        if output is not None:
            arguments.one_of("output", output, tuple(self.outputs))
            return self._decode_one(output, latents, inputs, indices, chunk_size)
        if indices is not None and len(self.outputs) > 1:
            raise ValueError(
                "`output` must be given with `indices`: one of "
                f"{tuple(self.outputs)}. Received: output=None"
            )
        results = {
            key: self._decode_one(key, latents, inputs, indices, chunk_size) for key in self.outputs
        }
        is_dict = isinstance(self.decoder.output, dict)
        return results if is_dict else next(iter(results.values()))

    def _decode_one(self, key, latents, inputs, indices, chunk_size):
        output = self.outputs[key]
        model, checks = self._model_of_queries(key)
        raw = self._checked_sources(checks, inputs, len(latents))
        if output.pools_latents:
            return np.asarray(model.predict_on_batch({"latents": latents}))
        num_queries = output.num_queries_of(raw)
        if not output.answers_stand_alone and indices is not None:
            raise ValueError(
                f"`indices` must be None for output {key!r}, which combines all queries. "
                f"Received: indices={indices!r}"
            )
        selected = self._checked_indices(indices, num_queries, len(latents))
        if not output.rows_stand_alone:
            given = {"latents": latents, "indices": selected, **raw}
            return np.asarray(model.predict_on_batch(given))
        size = min(chunk_size or selected.shape[1], selected.shape[1])
        chunks = []
        for start in range(0, selected.shape[1], size):
            chunk = selected[:, start : start + size]
            # The last chunk is padded, so that every chunk runs the same compiled function.
            padded = np.pad(chunk, ((0, 0), (0, size - chunk.shape[1])), mode="edge")
            rows = model.predict_on_batch({"latents": latents, "indices": padded, **raw})
            chunks.append(np.asarray(rows)[:, : chunk.shape[1]])
        rows = np.concatenate(chunks, axis=1)
        return output.arranged(rows, np) if indices is None else rows

    def _model_of_queries(self, key):
        if key not in self._models:
            self._models[key] = self._make_model(key)
        return self._models[key]

    def _make_model(self, key):
        output = self.outputs[key]
        if output.pools_latents:
            taken, sources = {"latents": self._latents_input()}, {}
            rows = output.rows(output.pooling_layer(taken["latents"]))
        else:
            taken, sources, queries = self._asking(key)
            read = self.decoder.get_layer("output_query_decoder")
            decoded = read(queries.array, taken["latents"], query_mask=queries.mask)
            rows = output.rows(decoded, queries)
        model = keras.Model({**taken, **sources}, rows, name=f"decode_{key}")
        # Chunk sizes often differ between calls; XLA compilation of each costs more than it saves.
        model.compile(jit_compile=False)
        return model, InputChecks(sources.values(), True, output.inputs, {key: output})

    def _latents_input(self):
        return keras.Input(self.latents.shape[1:], name="latents", dtype=self.latents.dtype)

    def _asking(self, key):
        """Symbolic latents and indices, sources of the queries, and the `Queries` they give."""
        output = self.outputs[key]
        taken = {"latents": self._latents_input()}
        sources = output.sources()
        sources.pop(f"{key}_indices", None)
        taken["indices"] = keras.Input((None,), dtype="int32", name="indices")
        queries = output.asks(taken["latents"], sources, taken["indices"])
        if sum(not other.pools_latents for other in self.outputs.values()) > 1:
            array = self.decoder.get_layer("queries")({key: queries.array})
            queries = queries._replace(array=array)
        return taken, sources, queries

    def queries(self, key, latents, inputs, indices):
        """Some queries of an output that does not pool the latents, as the decoder reads them.

        Args:
            key: Name of the output.
            latents: Array `(batch, num_latents, latent_dim)`.
            inputs: The model's inputs by name; those that the queries need are used.
            indices: Whole numbers `(batch, n)`.

        Returns:
            The array `(batch, n, query_dim)`, and booleans `(batch, n)` or None.
        """
        if key not in self._askers:
            taken, sources, queries = self._asking(key)
            asked = {"array": queries.array}
            if queries.mask is not None:
                asked["mask"] = queries.mask
            self._askers[key] = keras.Model({**taken, **sources}, asked, name=f"ask_{key}")
        model = self._askers[key]
        given = {"latents": latents, "indices": indices, **inputs}
        given = {t.name: keras.ops.convert_to_tensor(given[t.name], t.dtype) for t in model.inputs}
        asked = model(given)
        return asked["array"], asked.get("mask")

    def _checked_latents(self, latents):
        latents = keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(latents))
        wanted = tuple(self.latents.shape[1:])
        if latents.ndim != 3 or latents.shape[1:] != wanted:
            raise ValueError(
                f"`latents` must have shape (batch, {wanted[0]}, {wanted[1]}). Received: latents "
                f"of shape {latents.shape}"
            )
        arguments.finite("latents", latents)
        return latents

    def _checked_sources(self, checks, inputs, batch):
        inputs = {} if inputs is None else inputs
        if not isinstance(inputs, dict) and len(checks.specs) == 1:
            inputs = dict.fromkeys(checks.specs, inputs)
        raw = {name: np.asarray(array) for name, array in checks(inputs).items()}
        for name, array in raw.items():
            if len(array) != batch:
                raise ValueError(
                    f"`inputs[{name!r}]` must have as many examples as `latents`, {batch}. "
                    f"Received: shape {array.shape}"
                )
        return raw

    def _checked_indices(self, indices, num_queries, batch):
        if indices is None:
            indices = np.arange(num_queries)
        indices = np.asarray(indices)
        if indices.ndim == 1:
            indices = np.broadcast_to(indices, (batch, len(indices)))
        good_shape = indices.ndim == 2 and len(indices) == batch and indices.shape[1] > 0
        if indices.dtype.kind not in "iu" or not good_shape:
            raise ValueError(
                "`indices` must be whole numbers of shape (n,) or (batch, n). Received: "
                f"indices of shape {indices.shape}, type {indices.dtype}"
            )
        if indices.min() < 0 or indices.max() >= num_queries:
            raise ValueError(
                f"`indices` must lie in [0, {num_queries}), the queries of this output. Received: "
                f"indices from {indices.min()} to {indices.max()}"
            )
        return indices.astype("int32")
