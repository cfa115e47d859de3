"""Names of tools and slots as people can read them, and what a sentence begins with."""


def label_of(name: str) -> str:
    """Return a name in words: `get_my_ticket` is `Get my ticket`."""
    return name.replace("_", " ").replace("-", " ").strip().capitalize()


def sentence_of(text: str) -> str:
    """Return `text` with a capital in front, unless it begins with an address, which is right only as it is."""
    first = text.partition(" ")[0]
    return text if "@" in first or "://" in first else f"{text[:1].upper()}{text[1:]}"
