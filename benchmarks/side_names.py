"""The names of the measured sides."""


def is_ours(name):
    """Whether a side is ours: "ours", or our exports, such as "ours in OpenVINO"."""
    return name == "ours" or name.startswith("ours in ")


def ordered(rows):
    """The names of all sides of these rows: ours, our exports, the peers."""
    names = {name for row in rows for name in row["sides"]} | {"ours"}
    return sorted(names, key=lambda name: (name != "ours", not is_ours(name), name))
