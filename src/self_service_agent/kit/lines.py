"""Texts of others on one line of ours."""


def one_line(text: str, *, limit: int) -> str:
    """Return the start of `text` without anything that could end a line or hide in one."""
    shown = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"
