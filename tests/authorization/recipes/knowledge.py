"""How the operations of the knowledge service are called."""

from collections.abc import Sequence

from steward.services.knowledge.api import DocumentInput, FaqInput, FaqUpdate, ImportFormat, KnowledgeApi
from tests.authorization.recipes.recipe import HIDDEN, Arguments, Recipe, by
from tests.authorization.stage import Stage


async def put_documents(_: Stage) -> Arguments:
    return {"documents": [DocumentInput(text="A text to store.")]}


async def put_document(stage: Stage) -> Arguments:
    return {"document_id": f"doc-{stage.unique()}", "document": DocumentInput(text="A text to store.")}


async def document(stage: Stage) -> Arguments:
    made = await _knowledge(stage).put_documents(stage.tenant.owner, documents=[DocumentInput(text="A probe's text.")])
    return {"document_id": made[0].id}


async def create_faq(stage: Stage) -> Arguments:
    return {"faq": FaqInput(question=f"What is {stage.unique()}?", answer="A probe.")}


async def faq(stage: Stage) -> Arguments:
    made = await _knowledge(stage).create_faq(stage.tenant.owner, faq=FaqInput(question="What?", answer="A probe."))
    return {"faq_id": made.id}


async def update_faq(stage: Stage) -> Arguments:
    return {**await faq(stage), "change": FaqUpdate(answer="Another.")}


async def import_faqs(_: Stage) -> Arguments:
    return {"format": ImportFormat.CSV, "content": "question,answer\nWhat?,A probe.\n"}


async def search(_: Stage) -> Arguments:
    return {"query": "probe", "k": 3}


async def note_answered(_: Stage) -> Arguments:
    return {"question": "What?", "faq_id": "probe"}


async def feedback(stage: Stage) -> Arguments:
    found = await _knowledge(stage).search(stage.tenant.owner, query="probe")
    return {"query_id": found.query_id, "helpful": True, "comment": ""}


def _knowledge(stage: Stage) -> KnowledgeApi:
    return stage.house.installation.api(KnowledgeApi)


KNOWLEDGE: Sequence[Recipe] = (
    by("knowledge:write", "put_documents", put_documents),
    by("knowledge:write", "put_document", put_document),
    by("knowledge:read", "get_document", document, **HIDDEN),
    by("knowledge:read", "list_documents"),
    by("knowledge:read", "list_document_versions", document, **HIDDEN),
    by("knowledge:write", "delete_document", document, **HIDDEN),
    by("knowledge:write", "create_faq", create_faq),
    by("knowledge:read", "get_faq", faq, **HIDDEN),
    by("knowledge:read", "list_faqs"),
    by("knowledge:write", "update_faq", update_faq, **HIDDEN),
    by("knowledge:write", "delete_faq", faq, **HIDDEN),
    by("knowledge:write", "import_faqs", import_faqs),
    by("knowledge:read", "search", search),
    by("knowledge:read", "note_answered", note_answered),
    by("knowledge:read", "list_popular"),
    by("knowledge:read", "list_unanswered"),
    by("knowledge:read", "give_feedback", feedback, **HIDDEN),
    by("knowledge:read", "list_feedback"),
)
