"""Sentences in many languages from Django."""

import collections
import inspect
import re

import tensorflow_datasets as tfds

from keras_perceiver.data.sources.catalogue import catalogue
from keras_perceiver.data.sources.package_files import package_files
from keras_perceiver.data.sources.split_groups import split_groups

DISTRIBUTION = "Django==5.2.19"
CATALOGUES = "c5b5313527c2ca43253e933852572e27b86435db126ed4e22c0c87e0477b62c5"
# fmt: off
LANGUAGES = [
    "af", "ar", "az", "be", "bg", "bn", "br", "ca", "ckb", "cs", "cy", "da", "de", "dsb", "el",
    "en", "eo", "es", "et", "eu", "fa", "fi", "fr", "ga", "gd", "gl", "he", "hi", "hr", "hsb", "hu",
    "hy", "ia", "id", "is", "it", "ja", "ka", "kk", "kn", "ko", "ky", "lt", "lv", "mk", "ml", "mn",
    "mr", "ms", "nb", "ne", "nl", "nn", "os", "pa", "pl", "pt", "ro", "ru", "sk", "sl", "sq", "sr",
    "sr_Latn", "sv", "sw", "te", "tg", "th", "tk", "tr", "tt", "ug", "uk", "ur", "uz", "vi",
    "zh_Hans", "zh_Hant",
]
# fmt: on
_MARKUP = re.compile(r"%\(\w+\)\w|%\w|\{\w*\}|</?\w+[^>]*>|&\w+;")
_LETTER = re.compile(r"[^\W\d_]")


class LanguageBytes(tfds.core.GeneratorBasedBuilder):
    """Which language is it? Messages of Django, a web framework, in 79 languages.

    English and every language for which more than 300 texts are left; catalogues of a region beside
    their language's (es_AR, pt_BR, ...) are left out. Texts are as the translators wrote them,
    with placeholders such as %(name)s and markup. Left out are: a text without a letter outside
    these, a text that occurs in two languages (no answer would be right; untranslated messages are
    of this kind), and a second copy in one language. Plural forms are texts of their own.

    The split is by the English message: all translations of a sentence, in all contexts and plural
    forms, are in the same split.

    Features: "text", UTF-8; "label": the language by Django's code; "message": the English one.

    Licence: BSD-3-Clause, Django's own, under which its translators give their work.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First version."}

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description=inspect.getdoc(self),
            features=tfds.features.FeaturesDict(
                {
                    "text": tfds.features.Text(),
                    "label": tfds.features.ClassLabel(names=LANGUAGES),
                    "message": tfds.features.Text(),
                }
            ),
            supervised_keys=("text", "label"),
            homepage="https://www.djangoproject.com/",
            license="BSD-3-Clause",
        )

    def _split_generators(self, dl_manager):
        paths = package_files("django", "**/LC_MESSAGES/*.mo", DISTRIBUTION, CATALOGUES)
        rows = [
            (language, text, message)
            for language, texts in _texts(paths).items()
            if language in LANGUAGES
            for text, message in texts.items()
        ]
        splits = split_groups([message for _, _, message in rows])
        return {name: self._generate_examples(rows, indices) for name, indices in splits.items()}

    def _generate_examples(self, rows, indices):
        for index in indices:
            language, text, message = rows[index]
            yield int(index), {"text": text, "label": language, "message": message}


def _texts(paths):
    """Dict from languages to dicts from texts to English messages, without shared texts."""
    texts = collections.defaultdict(dict)
    for path in paths:
        language = path.parts[-3]
        if re.fullmatch("[a-z]+_[A-Z]{2}", language) or language == "en":
            continue
        for message, translations in catalogue(path.read_bytes()).items():
            texts["en"].setdefault(message, message)
            for text in translations:
                texts[language].setdefault(text, message)
    counts = collections.Counter(text for known in texts.values() for text in known)
    return {
        language: {
            text: message
            for text, message in known.items()
            if counts[text] == 1 and _LETTER.search(_MARKUP.sub("", text))
        }
        for language, known in texts.items()
    }
