"""What is wrong with a definition, said so that its author can find the place."""

from collections.abc import Sequence


class DefinitionError(Exception):
    """One or more definitions cannot be used; `problems` names file, place and reason of each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)
