"""Input descriptions: each turns the raw tensors of one modality into Perceiver inputs."""

from keras_perceiver.inputs.array import Array
from keras_perceiver.inputs.audio import Audio
from keras_perceiver.inputs.byte_vocabulary import ids_to_text, text_to_ids
from keras_perceiver.inputs.entities import Entities
from keras_perceiver.inputs.frame_pair import FramePair
from keras_perceiver.inputs.image import Image
from keras_perceiver.inputs.labels import Labels
from keras_perceiver.inputs.perceiver_input import PerceiverInput
from keras_perceiver.inputs.points import Points
from keras_perceiver.inputs.series import Series
from keras_perceiver.inputs.table import Table
from keras_perceiver.inputs.text import Text
from keras_perceiver.inputs.video import Video

__all__ = [
    "Array",
    "Audio",
    "Entities",
    "FramePair",
    "Image",
    "Labels",
    "PerceiverInput",
    "Points",
    "Series",
    "Table",
    "Text",
    "Video",
    "ids_to_text",
    "text_to_ids",
]
