"""What the experiments on texts share: masking, and byte n-grams with logistic regression."""

import numpy as np
import tensorflow as tf

from keras_perceiver.inputs.byte_vocabulary import NUM_SPECIAL


def bytes_of(ids):
    """Each row of byte ids as bytes, without its padding."""
    return [bytes((row[row >= NUM_SPECIAL] - NUM_SPECIAL).astype("uint8")) for row in ids]


def byte_ngrams(train, test, seed=0, longest=4):
    """Accuracy of logistic regression on the frequencies of byte n-grams.

    Args:
        train, test: (byte ids, labels)
        seed: Of the order in which stochastic gradient descent sees the examples.
        longest: Bytes of the longest n-gram.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import SGDClassifier

    features = TfidfVectorizer(
        analyzer="char", ngram_range=(1, longest), sublinear_tf=True, min_df=2, lowercase=False
    )
    # One character a byte.
    texts, others = ([one.decode("latin-1") for one in bytes_of(x)] for x, _ in (train, test))
    model = SGDClassifier(loss="log_loss", alpha=1e-6, random_state=seed)
    model.fit(features.fit_transform(texts), train[1])
    return model.score(features.transform(others), test[1])


def most_frequent(train, test):
    """Accuracy of always answering the most frequent class of the training examples."""
    return np.mean(test[1] == np.bincount(train[1]).argmax())


def hidden(batches, mask, first, seed, share=0.15):
    """Batches for masked modelling: (ids with a share masked, the ids, 1 where they are masked).

    Args:
        batches: Pipeline of ids `(batch, length)`.
        mask: Id of the mask token.
        first: Least id that may be masked; smaller ones are special.
        seed: Fixes what is masked; epochs still differ.
        share: Share of ids that are masked, each by itself.
    """
    seeds = tf.data.Dataset.random(seed, rerandomize_each_iteration=True).batch(2)

    def hide(ids, seed):
        chosen = (tf.random.stateless_uniform(tf.shape(ids), seed) < share) & (ids >= first)
        return tf.where(chosen, mask, ids), ids, tf.cast(chosen, tf.float32)

    return tf.data.Dataset.zip(batches, seeds).map(hide, num_parallel_calls=tf.data.AUTOTUNE)
