"""How figures are printed."""

_WIDTH = 11


def title(*names: object) -> None:
    row(*names)
    print("-" * _WIDTH * len(names))


def row(*values: object) -> None:
    print("".join(f"{value!s:>{_WIDTH}}" for value in values), flush=True)
