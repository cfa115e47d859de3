"""By what this installation compares texts: by their words alone, or by their meaning as well."""

from self_service_agent.agent_service.embedding.embedder import INSTALL, EmbeddingUnavailable
from self_service_agent.agent_service.embedding.minilm import MiniLm
from self_service_agent.agent_service.embedding.settings import EmbeddingSettings
from self_service_agent.agent_service.embedding.weights import PINNED, find_weights, verified
from self_service_agent.kit.settings import read

from .report import Finding, broken, ok, warning


def embeddings() -> Finding:
    """Look for the sentence encoder, and whether its files are the published ones."""
    if read(EmbeddingSettings).embeddings == "off":
        return ok("embeddings", "off: texts are compared by their words")
    folder = find_weights()
    if folder is None:
        return warning("embeddings", "not installed: texts are compared by their words", INSTALL)
    try:
        for name in PINNED:
            verified(folder, name)
    except EmbeddingUnavailable as error:
        return broken("embeddings", str(error), "or set EMBEDDINGS=off")
    return ok("embeddings", f"{MiniLm.name}, verified")
