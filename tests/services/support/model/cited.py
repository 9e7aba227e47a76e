"""Citations that a test makes up."""

from steward.services.support.api import Citation


def citation(text: str, title: str = "Returns") -> Citation:
    return Citation(document_id="faq", chunk_id="faq#0", title=title, text=text, score=1.0)
