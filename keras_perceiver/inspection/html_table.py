"""Tables for notebooks."""

import html


def html_table(head, rows):
    """An HTML table; all words are escaped."""

    def cells(tag, words):
        left = "style='text-align:left'"
        return "".join(f"<{tag} {left}>{html.escape(word)}</{tag}>" for word in words)

    lines = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table><tr>{cells('th', head)}</tr>{lines}</table>"
