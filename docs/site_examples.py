"""Examples in docstrings, which begin with ">>>", become blocks of code on the site."""

import griffe


class Examples(griffe.Extension):
    """Puts fences around lines from ">>>" to the next empty line."""

    def on_object(self, *, obj, **kwargs):
        if obj.is_alias or not obj.docstring:
            return
        lines, inside = [], False
        for line in obj.docstring.value.splitlines():
            if line.startswith(">>>") and not inside:
                lines.append("```pycon")
                inside = True
            elif inside and not line.strip():
                lines.append("```")
                inside = False
            lines.append(line)
        obj.docstring.value = "\n".join([*lines, "```"] if inside else lines)
