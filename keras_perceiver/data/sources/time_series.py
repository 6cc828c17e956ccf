"""Labelled time series from aeon."""

import dataclasses
import inspect

import numpy as np
import tensorflow_datasets as tfds

from keras_perceiver.data.sources.package_file import package_file
from keras_perceiver.data.sources.ts_series import ts_series

DISTRIBUTION = "aeon==1.6.0"


@dataclasses.dataclass
class Archived(tfds.core.BuilderConfig):
    """A problem of the archive: its name there, labels, channels and SHA-256 of its two files."""

    folder: str = ""
    labels: tuple[str, ...] = ()
    channels: int = 1
    train: str = ""
    test: str = ""


def _numbers(count, start=1):
    return tuple(str(number) for number in range(start, start + count))


class TimeSeries(tfds.core.GeneratorBasedBuilder):
    """Labelled time series of the UCR and UEA archives, those inside aeon, with their own splits.

    | configuration | which | train, test | classes | steps | channels |
    |---|---|---|---|---|---|
    | acsf1 | which appliance draws the power? | 100, 100 | 10 | 1,460 | 1 |
    | arrow_head | outlines of arrowheads | 36, 175 | 3 | 251 | 1 |
    | basic_motions | smartwatch: standing, running, ... | 40, 40 | 4 | 100 | 6 |
    | gun_point | a hand that draws a gun, or points | 50, 150 | 2 | 150 | 1 |
    | italy_power_demand | a winter's or a summer's day? | 67, 1,029 | 2 | 24 | 1 |
    | japanese_vowels | which of nine men is speaking? | 270, 370 | 9 | 7 to 29 | 12 |
    | osu_leaf | outlines of leaves | 200, 242 | 6 | 427 | 1 |
    | pickup_gesture_wiimote_z | who picks the controller up? | 50, 50 | 10 | 29 to 361 | 1 |
    | unit_test | pedestrians on weekdays or weekends, few | 20, 22 | 2 | 24 | 1 |

    Copies: a test series of arrow_head is there twice, and one of unit_test is in train, too.

    Features: "series" (steps, channels) float32, as in the archive (many were standardised there);
    "label", in the order of the archive's header.

    Licence: aeon is BSD-3-Clause and names no other licence for the series. The archive offers them
    for research and asks that it be cited; Japanese Vowels is CC BY 4.0 at UCI.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First version."}
    BUILDER_CONFIGS = [
        Archived(
            name="acsf1",
            description="Power consumption of ten kinds of appliances.",
            folder="ACSF1",
            labels=_numbers(10, start=0),
            train="0646b90dc4843e02baed6b2ba345c5601a4991b6796565489cef1b2d92a7537b",
            test="93e8aaeb44a10af181d24a156e60da7021193cd990ca28f263fccf3b905bfebf",
        ),
        Archived(
            name="arrow_head",
            description="Outlines of three kinds of arrowheads.",
            folder="ArrowHead",
            labels=_numbers(3, start=0),
            train="a83c470aaf611a5f5284377cce27a5fc9f6292bc3d110257b0fd4905ced5ee72",
            test="5417dab42626d41df5e435bb22458c2df40dfad4bcd3b59559bbe72e20e84904",
        ),
        Archived(
            name="basic_motions",
            description="Accelerations and rotations during four activities.",
            folder="BasicMotions",
            labels=("Standing", "Running", "Walking", "Badminton"),
            channels=6,
            train="8dc43cc6306cb679c888c01e26f91772ac4441a916da43bac8b79734a538b9d6",
            test="79213102bc6fca1a398ad98ce1185dff0208fa3d1465e687f48288946b0ff8dc",
        ),
        Archived(
            name="gun_point",
            description="Positions of a hand.",
            folder="GunPoint",
            labels=_numbers(2),
            train="f842401779fd9800d247d8b33121a1a4643710a19b24917dbdd9a060ca8630d5",
            test="79332750788a6227b325b96bd0d70130c8eb707b9731f8d7dec62b7a7d36017e",
        ),
        Archived(
            name="italy_power_demand",
            description="Power consumption of a country in a day.",
            folder="ItalyPowerDemand",
            labels=_numbers(2),
            train="341269cb7e6cef96846b30e774580beec79addb93848ba360145219115a74b7c",
            test="26122451f87dd0387ef90b18bc8a86c041371b8a1c068004922b939971247144",
        ),
        Archived(
            name="japanese_vowels",
            description="Spectral coefficients of spoken vowels, unequal lengths.",
            folder="JapaneseVowels",
            labels=_numbers(9),
            channels=12,
            train="68a430eabd919cc77f40b1f5f3bc0dcafacc1486bca9260785aeb7d262cc78cd",
            test="b3d41d6a0ca3bcad3afb9ca7d4365382aa51341e2e58bae2a574babdda5b9462",
        ),
        Archived(
            name="osu_leaf",
            description="Outlines of six kinds of leaves.",
            folder="OSULeaf",
            labels=_numbers(6),
            train="86b9d6e860414ffd26cebc62fff84ffb37fa588ef3e5bf79e4094a437c36ddfc",
            test="6c549dd354f9e42d5985fa5fab75321ca9acefc7873457e71467fc8a31f107ce",
        ),
        Archived(
            name="pickup_gesture_wiimote_z",
            description="Accelerations of a controller, unequal lengths.",
            folder="PickupGestureWiimoteZ",
            labels=_numbers(10),
            train="4d303d9990df621c066fc454d62626e3721aed008462103500b86b1ac1ca92c8",
            test="a9109bce918e48ee0e924e9cf2fdfdc4de364a3d88ec5e8aa44399ff08b11361",
        ),
        Archived(
            name="unit_test",
            description="Pedestrians in a street in a day, cut down.",
            folder="UnitTest",
            labels=_numbers(2),
            train="6ce264a7cd41ccfb285e61831dc977a5572e17558551b251d0f1e427c8b9d335",
            test="1c28892222289640d0fb156823e183dd79e489e340cfcff16e5af3cf575fd218",
        ),
    ]

    def _info(self):
        config = self.builder_config
        return tfds.core.DatasetInfo(
            builder=self,
            description=inspect.getdoc(self),
            features=tfds.features.FeaturesDict(
                {
                    "series": tfds.features.Tensor(shape=(None, config.channels), dtype=np.float32),
                    "label": tfds.features.ClassLabel(names=config.labels),
                }
            ),
            supervised_keys=("series", "label"),
            license="BSD-3-Clause (the package); that of the data is not told",
            homepage="https://www.timeseriesclassification.com/description.php?Dataset="
            f"{config.folder}",
            citation="H. Dau, A. Bagnall, K. Kamgar, C. Yeh, Y. Zhu, S. Gharghabi, C. "
            "Ratanamahatana, E. Keogh, The UCR Time Series Archive, IEEE/CAA Journal of Automatica "
            "Sinica 6(6), 2019. A. Bagnall, H. Dau, J. Lines, M. Flynn, J. Large, A. Bostrom, P. "
            "Southam, E. Keogh, The UEA Multivariate Time Series Classification Archive, 2018, "
            "arXiv:1811.00075.",
        )

    def _split_generators(self, dl_manager):
        config = self.builder_config
        paths = {
            split: package_file(
                "aeon",
                f"datasets/data/{config.folder}/{config.folder}_{split.upper()}.ts",
                DISTRIBUTION,
                sha256,
            )
            for split, sha256 in (("train", config.train), ("test", config.test))
        }
        return {split: self._generate_examples(path) for split, path in paths.items()}

    def _generate_examples(self, path):
        for index, (series, label) in enumerate(zip(*ts_series(path))):
            yield index, {"series": series, "label": label}
