"""Decoding a part of the queries at a time."""

import keras
import numpy as np

from keras_perceiver import arguments


class Parts:
    """Decodes the outputs of one model apart from each other, in chunks of queries.

    It holds the model's own layers and makes, when first asked for an output, a functional model
    from latents and indices to the answers of these queries.
    """

    def __init__(self, model, readers, outputs, query_layers, heads):
        (self.latents,) = (t for t in model.decoder.inputs if t.name == "latents")
        self.model, self.readers, self.outputs = model, readers, outputs
        self.query_layers, self.heads = query_layers, heads
        self._models = {}

    def decode(self, latents, output, inputs, indices, chunk_size):
        if chunk_size is not None:
            arguments.whole_number("chunk_size", chunk_size)
        latents = keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(latents))
        wanted = tuple(self.latents.shape[1:])
        if latents.ndim != 3 or latents.shape[1:] != wanted:
            raise ValueError(
                f"`latents` must have shape (batch, {wanted[0]}, {wanted[1]}). Received: latents "
                f"of shape {latents.shape}"
            )
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
        is_dict = isinstance(self.model.decoder.output, dict)
        return results if is_dict else next(iter(results.values()))

    def sampled(self):
        return {
            key: (
                output.num_decoded,
                output.num_queries(key, self.readers, {}),
                getattr(output, "num_classes", None) is not None,
            )
            for key, output in self.outputs.items()
            if output.num_decoded is not None
        }

    def _decode_one(self, key, latents, inputs, indices, chunk_size):
        output = self.outputs[key]
        part, source_names = self._part(key)
        raw = self._raw(key, source_names, inputs, len(latents))
        if output.pools_latents:
            return np.asarray(part.predict_on_batch({"latents": latents}))
        num_queries = output.num_queries(key, self.readers, raw)
        everything = indices is None
        indices = self._indices(indices, num_queries, len(latents))
        size = min(chunk_size or indices.shape[1], indices.shape[1])
        pieces = []
        for start in range(0, indices.shape[1], size):
            chunk = indices[:, start : start + size]
            # The last chunk is filled up, so that every chunk runs the same compiled function.
            filled = np.pad(chunk, ((0, 0), (0, size - chunk.shape[1])), mode="edge")
            answers = part.predict_on_batch({"latents": latents, "indices": filled, **raw})
            pieces.append(np.asarray(answers)[:, : chunk.shape[1]])
        decoded = np.concatenate(pieces, axis=1)
        target_shape = output.target_shape(self.readers)
        if everything and target_shape is not None:
            decoded = decoded.reshape(-1, *target_shape)
        return decoded

    def _part(self, key):
        if key not in self._models:
            self._models[key] = self._make_part(key)
        return self._models[key]

    def _make_part(self, key):
        output, readers = self.outputs[key], self.readers
        latents = keras.Input(self.latents.shape[1:], name="latents", dtype=self.latents.dtype)
        taken = {"latents": latents}
        sources = {}
        if output.pools_latents:
            decoded = self.model.decoder.get_layer(f"{key}_mean")(latents)
            answer = output.answer(self.heads[key], key, readers, decoded)
        else:
            sources = output.sources(key, readers)
            sources.pop(f"{key}_indices", None)
            taken["indices"] = keras.Input((None,), dtype="int32", name="indices")
            query = output.queries(
                self.query_layers[key], key, readers, latents, sources, indices=taken["indices"]
            )
            mask = output.query_mask(key, readers, sources, self._all_like(output, key, sources))
            if mask is not None:
                mask = keras.ops.take_along_axis(mask, taken["indices"], axis=1)
            asked = [k for k, o in self.outputs.items() if not o.pools_latents]
            if len(asked) > 1:
                query = self.model.decoder.get_layer("queries")({key: query})
            decoder = self.model.decoder.get_layer("output_query_decoder")
            decoded = decoder(query, latents, query_mask=mask)
            answer = output.answer(self.heads[key], key, readers, decoded, flat=True)
        part = keras.Model({**taken, **sources}, answer, name=f"decode_{key}")
        # Chunks are often of a size of their own, and compiling each would cost more than it saves.
        part.compile(jit_compile=False)
        return part, list(sources)

    def _all_like(self, output, key, sources):
        """Any array with as many rows as there are queries in all, for the shape of the mask."""
        return next(iter(sources.values()), None)

    def _raw(self, key, source_names, inputs, batch):
        inputs = {} if inputs is None else inputs
        if not isinstance(inputs, dict) and len(source_names) == 1:
            inputs = {source_names[0]: inputs}
        missing = [name for name in source_names if name not in inputs]
        if missing:
            raise ValueError(
                f"`inputs` must have the entries {source_names} to decode output {key!r}. "
                f"Received: entries {sorted(inputs)}, without {missing}"
            )
        raw = {name: np.asarray(inputs[name]) for name in source_names}
        for name, array in raw.items():
            if len(array) != batch:
                raise ValueError(
                    f"`inputs[{name!r}]` must have as many examples as `latents`, {batch}. "
                    f"Received: shape {array.shape}"
                )
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise ValueError(
                    f"`inputs[{name!r}]` must be finite numbers. Received: NaN or infinity in it"
                )
        return raw

    def _indices(self, indices, num_queries, batch):
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
