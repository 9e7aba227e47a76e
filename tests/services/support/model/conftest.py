"""A provider on loopback and models that ask it."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from steward.kit.clock import SystemClock
from steward.kit.context import ANONYMOUS, Ctx
from steward.kit.testing.provider import FakeProvider
from steward.services.support.api import Citation
from steward.services.support.model.language_model import OpenModel, make_model

KEY = "sk-very-secret-key-of-the-operator"
MakeModel = Callable[..., OpenModel]


@pytest.fixture
async def provider() -> AsyncIterator[FakeProvider]:
    async with FakeProvider() as running:
        yield running


@pytest.fixture(params=["openai", "anthropic"])
async def model_of(request: pytest.FixtureRequest, provider: FakeProvider) -> AsyncIterator[MakeModel]:
    """Makes models of either provider; closed at the end."""
    made: list[OpenModel] = []

    def make(**more: str) -> OpenModel:
        environment = {
            "openai": {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": provider.url + "/v1"},
            "anthropic": {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": provider.url},
        }[request.param]
        made.append(make_model({**environment, **more}, SystemClock()))
        return made[-1]

    yield make
    for model in made:
        await model.close()


@pytest.fixture
def model(model_of: MakeModel) -> OpenModel:
    return model_of()


def caller() -> Ctx:
    return Ctx(
        tenant=None,
        actor=ANONYMOUS,
        scopes=frozenset(),
        request_id="test",
        deadline=SystemClock().now() + timedelta(seconds=30),
    )


def citation(text: str, title: str = "Returns") -> Citation:
    return Citation(document_id="faq", chunk_id="faq#0", title=title, text=text, score=1.0)
