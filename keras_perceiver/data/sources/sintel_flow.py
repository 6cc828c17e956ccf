"""MPI Sintel from its files."""

from keras_perceiver import arguments
from keras_perceiver.data.sources.corrupt_file import CorruptFile
from keras_perceiver.data.sources.file_listing import file_listing
from keras_perceiver.data.sources.files_builder import FilesBuilder
from keras_perceiver.data.sources.flow_pair import flow_features, flow_pair


class SintelFlow(FilesBuilder):
    """MPI Sintel: 1,041 pairs of frames from 23 scenes of a film, with the true optical flow.

    All are in the split "train", because the flow of the test scenes is not published; to hold
    scenes out, filter by `scene`. Expected are the directories as MPI-Sintel-complete.zip has them:

        source_dir/training/final/alley_1/frame_0001.png, or clean/
        source_dir/training/flow/alley_1/frame_0001.flo
        source_dir/training/invalid/alley_1/frame_0001.png       may be missing
        source_dir/training/occlusions/alley_1/frame_0001.png    may be missing

    Without `invalid/` all flow is valid, without `occlusions/` `has_occlusions` is False; a file
    missing in a directory that is there is an error.

    Args:
        source_dir: The user's directory. Data that are prepared already are read without it.
        rendering: "final", with motion blur and fog, or "clean".
        corrupt: "stop" or "skip": what happens at a pair with a file that cannot be used.
        **others: `data_dir` and the other arguments of a builder.

    Returns:
        Examples with `first` and `second` `(height, width, 3)` uint8, `flow` `(height, width, 2)`
        float32 (right, down) in pixels, `valid` and `occluded` `(height, width)` bool,
        `has_occlusions`, and `scene`.

    Raises:
        ValueError: if an argument is wrong, or a file is missing, broken or of another size.

    Example:

    >>> builder = SintelFlow(source_dir="~/MPI-Sintel-complete", rendering="clean")
    >>> builder.download_and_prepare()

    Reference: D. Butler et al., "A Naturalistic Open Source Movie for Optical Flow Evaluation",
    2012; Perceiver IO (arXiv 2107.14795), section 4.3.
    """

    def __init__(self, *, source_dir=None, rendering="final", corrupt="stop", **others):
        arguments.one_of("rendering", rendering, ("final", "clean"))
        options = {"rendering": rendering}
        super().__init__(options, source_dir=source_dir, corrupt=corrupt, **others)

    def listed(self, source_dir):
        training = source_dir / "training"
        flows = file_listing(training / "flow", (".flo",))
        frames = training / self.options["rendering"]
        if not flows or not frames.is_dir():
            raise ValueError(
                "`source_dir` must have training/flow/<scene>/*.flo and training/"
                f"{self.options['rendering']}/<scene>/*.png. Received: {len(flows)} .flo files and "
                f"{'a' if frames.is_dir() else 'no'} directory {frames}"
            )
        return {"train": {f"{path.parent.name}/{path.stem}": path for path in flows}}

    def read(self, key, item):
        training, scene = item.parents[2], item.parent.name
        number = item.stem.rpartition("_")[2]
        if not number.isdigit():
            raise CorruptFile(item, "must have a name such as frame_0001.flo")
        following = f"frame_{int(number) + 1:0{len(number)}}.png"
        masks = {}
        for kind in ("invalid", "occlusions"):
            if (training / kind).is_dir():
                masks[kind] = training / kind / scene / f"{item.stem}.png"
        frames = training / self.options["rendering"] / scene
        pair = flow_pair(frames / f"{item.stem}.png", frames / following, item, **masks)
        return {"": {**pair, "scene": scene}}

    def described(self):
        return {
            "description": "MPI Sintel: pairs of frames of a film with the true optical flow.",
            "homepage": "http://sintel.is.tue.mpg.de",
            "features": flow_features(),
        }
