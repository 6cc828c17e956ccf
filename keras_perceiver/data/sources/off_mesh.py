"""Reads a mesh from an OFF file."""

import numpy as np

from keras_perceiver.data.sources.corrupt_file import CorruptFile


def off_mesh(path):
    """Reads the triangles of an OFF file.

    Polygons with more corners are cut into triangles that share the first corner. The first line
    may have its line break missing (`OFF490 518 0`), as in many files of ModelNet40. Comments (`#`)
    and colours of faces are passed over.

    Args:
        path: The file.

    Returns:
        Corners of the mesh, float64 `(num_vertices, 3)`, and the three of each triangle, int64
        `(num_triangles, 3)`.

    Raises:
        CorruptFile: if the file is not such a mesh; names it, what was wanted and what came.

    Example:

    >>> vertices, triangles = off_mesh("chair/train/chair_0001.off")
    """
    text = path.read_bytes()
    if not text.startswith(b"OFF"):
        came = "an empty file" if not text else f"a file that starts with {text[:8]!r}"
        raise CorruptFile(path, f"must be a mesh that starts with 'OFF'. Received: {came}")
    lines = (line.partition(b"#")[0].split() for line in text[3:].splitlines())
    lines = [line for line in lines if line]
    try:
        num_vertices, num_faces = (int(count) for count in lines[0][:2])
    except (IndexError, ValueError):
        raise CorruptFile(
            path, "must say how many vertices and faces it has. It does not"
        ) from None
    if num_vertices < 3 or num_faces < 1:
        came = f"{num_vertices} vertices and {num_faces} faces"
        raise CorruptFile(path, f"must have 3 vertices and 1 face or more. Received: {came}")
    if len(lines) < 1 + num_vertices + num_faces:
        wanted = f"{num_vertices} vertices and {num_faces} faces, a line each"
        raise CorruptFile(path, f"must have {wanted}. Received: {len(lines) - 1} lines")
    rows = lines[1 + num_vertices : 1 + num_vertices + num_faces]
    try:
        vertices = np.array([line[:3] for line in lines[1 : 1 + num_vertices]], "float64")
        faces = [[int(corner) for corner in row[1 : 1 + int(row[0])]] for row in rows]
        whole = vertices.shape == (num_vertices, 3)
        whole = whole and all(len(face) == int(row[0]) for face, row in zip(faces, rows))
    except ValueError:
        whole = False
    if not whole or not np.isfinite(vertices).all():
        raise CorruptFile(path, "must have three finite numbers a vertex, and whole faces")
    triangles = [(f[0], f[i], f[i + 1]) for f in faces for i in range(1, len(f) - 1)]
    triangles = np.array(triangles, "int64").reshape(-1, 3)
    if triangles.size and not 0 <= triangles.min() <= triangles.max() < num_vertices:
        wanted = f"corners from 0 to {num_vertices - 1}"
        came = f"{triangles.min()} to {triangles.max()}"
        raise CorruptFile(path, f"must have faces with {wanted}. Received: {came}")
    return vertices, triangles
