"""Data sets of ours for TensorFlow Datasets, each loaded on first use.

`BUILDERS` has the name of each data set and where its builder is, "module:Class", so that nothing
imports tensorflow_datasets until a builder is asked for.
"""

BUILDERS = {
    "animal_silhouettes": "keras_perceiver.data.sources.animal_silhouettes:AnimalSilhouettes",
    "arm_gestures": "keras_perceiver.data.sources.arm_gestures:ArmGestures",
    "big_buck_bunny": "keras_perceiver.data.sources.big_buck_bunny:BigBuckBunny",
    "cell_contours": "keras_perceiver.data.sources.cell_contours:CellContours",
    "face_patches": "keras_perceiver.data.sources.face_patches:FacePatches",
    "film_reviews": "keras_perceiver.data.sources.film_reviews:FilmReviews",
    "language_bytes": "keras_perceiver.data.sources.language_bytes:LanguageBytes",
    "motorcycle_stereo": "keras_perceiver.data.sources.motorcycle_stereo:MotorcycleStereo",
    "optical_digits": "keras_perceiver.data.sources.optical_digits:OpticalDigits",
    "photographs": "keras_perceiver.data.sources.photographs:Photographs",
    "smartwatch_exercises": "keras_perceiver.data.sources.smartwatch_exercises:SmartwatchExercises",
    "time_series": "keras_perceiver.data.sources.time_series:TimeSeries",
    "video_clips": "keras_perceiver.data.sources.video_clips:VideoClips",
}
