"""Names of tools and slots, as people can read them."""


def label_of(name: str) -> str:
    """Return a name in words: `get_my_ticket` is `Get my ticket`."""
    return name.replace("_", " ").replace("-", " ").strip().capitalize()
