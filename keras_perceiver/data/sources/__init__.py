"""Data sets of ours for TensorFlow Datasets, each loaded on first use.

`BUILDERS` has the name of each data set and where its builder is, "module:Class", so that nothing
imports tensorflow_datasets until a builder is asked for.
"""

BUILDERS = {
    "animal_silhouettes": "keras_perceiver.data.sources.animal_silhouettes:AnimalSilhouettes",
    "arm_gestures": "keras_perceiver.data.sources.arm_gestures:ArmGestures",
    "audioset_clips": "keras_perceiver.data.sources.audioset_clips:AudiosetClips",
    "autoflow_pairs": "keras_perceiver.data.sources.autoflow_pairs:AutoflowPairs",
    "battlefields": "keras_perceiver.data.sources.battlefields:Battlefields",
    "big_buck_bunny": "keras_perceiver.data.sources.big_buck_bunny:BigBuckBunny",
    "cell_contours": "keras_perceiver.data.sources.cell_contours:CellContours",
    "face_patches": "keras_perceiver.data.sources.face_patches:FacePatches",
    "film_reviews": "keras_perceiver.data.sources.film_reviews:FilmReviews",
    "kinetics_videos": "keras_perceiver.data.sources.kinetics_videos:KineticsVideos",
    "language_bytes": "keras_perceiver.data.sources.language_bytes:LanguageBytes",
    "modelnet40_meshes": "keras_perceiver.data.sources.modelnet40_meshes:Modelnet40Meshes",
    "modelnet40_resampled": "keras_perceiver.data.sources.modelnet40_resampled:Modelnet40Resampled",
    "motorcycle_stereo": "keras_perceiver.data.sources.motorcycle_stereo:MotorcycleStereo",
    "moving_digits": "keras_perceiver.data.sources.moving_digits:MovingDigits",
    "optical_digits": "keras_perceiver.data.sources.optical_digits:OpticalDigits",
    "photographs": "keras_perceiver.data.sources.photographs:Photographs",
    "sintel_flow": "keras_perceiver.data.sources.sintel_flow:SintelFlow",
    "smartwatch_exercises": "keras_perceiver.data.sources.smartwatch_exercises:SmartwatchExercises",
    "sound_events": "keras_perceiver.data.sources.sound_events:SoundEvents",
    "surface_points": "keras_perceiver.data.sources.surface_points:SurfacePoints",
    "time_series": "keras_perceiver.data.sources.time_series:TimeSeries",
    "video_clips": "keras_perceiver.data.sources.video_clips:VideoClips",
}
