"""Data sets of ours, as builders of TensorFlow Datasets: one file each, imported on use."""

BUILDERS = {  # the name of a data set -> "module:Class"
    "audioset_clips": "keras_perceiver.data.sources.audioset_clips:AudiosetClips",
    "autoflow_pairs": "keras_perceiver.data.sources.autoflow_pairs:AutoflowPairs",
    "battlefields": "keras_perceiver.data.sources.battlefields:Battlefields",
    "kinetics_videos": "keras_perceiver.data.sources.kinetics_videos:KineticsVideos",
    "modelnet40_meshes": "keras_perceiver.data.sources.modelnet40_meshes:Modelnet40Meshes",
    "modelnet40_resampled": "keras_perceiver.data.sources.modelnet40_resampled:Modelnet40Resampled",
    "moving_digits": "keras_perceiver.data.sources.moving_digits:MovingDigits",
    "sintel_flow": "keras_perceiver.data.sources.sintel_flow:SintelFlow",
    "sound_events": "keras_perceiver.data.sources.sound_events:SoundEvents",
    "surface_points": "keras_perceiver.data.sources.surface_points:SurfacePoints",
}
