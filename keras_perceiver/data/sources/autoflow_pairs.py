"""AutoFlow from its files."""

from keras_perceiver.data.sources.file_listing import file_listing
from keras_perceiver.data.sources.files_builder import FilesBuilder
from keras_perceiver.data.sources.flow_pair import flow_features, flow_pair


class AutoflowPairs(FilesBuilder):
    """AutoFlow: rendered pairs of images with the true optical flow, one split "train".

    Expected is a directory for each pair, however deep below `source_dir`, with three files, as the
    four archives of 10,000 static pairs have them:

        source_dir/static_40k_png_1_of_4/table_0_batch_0/im0.png
        source_dir/static_40k_png_1_of_4/table_0_batch_0/im1.png
        source_dir/static_40k_png_1_of_4/table_0_batch_0/forward.flo

    Args:
        source_dir: The user's directory. Data that are prepared already are read without it.
        corrupt: "stop" or "skip": what happens at a pair with a file that cannot be used.
        **others: `data_dir` and the other arguments of a builder.

    Returns:
        Examples with the features of `SintelFlow`; there are no occlusions, `has_occlusions` is
        False, and `scene` is the directory of the pair.

    Raises:
        ValueError: if there is no pair, or a file is missing, broken or of another size.

    Example:

    >>> builder = AutoflowPairs(source_dir="~/autoflow")
    >>> builder.download_and_prepare()

    Reference: D. Sun et al., "AutoFlow" (arXiv 2104.14544); Perceiver IO (arXiv 2107.14795),
    section 4.3.
    """

    def __init__(self, *, source_dir=None, corrupt="stop", **others):
        super().__init__({}, source_dir=source_dir, corrupt=corrupt, **others)

    def listed(self, source_dir):
        flows = [p for p in file_listing(source_dir, (".flo",)) if p.name == "forward.flo"]
        if not flows:
            raise ValueError(
                "`source_dir` must have directories with im0.png, im1.png and forward.flo. "
                f"Received: no forward.flo below {source_dir}"
            )
        return {"train": {path.parent.relative_to(source_dir).as_posix(): path for path in flows}}

    def read(self, key, item):
        folder = item.parent
        return {"": {**flow_pair(folder / "im0.png", folder / "im1.png", item), "scene": key}}

    def described(self):
        return {
            "description": "AutoFlow: rendered pairs of images with the true optical flow.",
            "homepage": "https://autoflow-google.github.io",
            "features": flow_features(),
        }
