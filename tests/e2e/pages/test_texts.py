"""The catalogues of the pages: the same keys in every language, each used, each in its own script."""

import re
from typing import Any

from tests.e2e.pages.conftest import Visitor
from tests.e2e.running import Steward

CATALOGUES = {
    "texts": ("/", "start", "mine"),
    "reference_texts": ("/docs", "reference"),
    "demo_texts": ("/demo", "demo"),
}
LANGUAGES = {"en", "zh-Hant", "zh-Hans"}
SCRIPT = {"zh-Hant": "big5", "zh-Hans": "gb2312"}
"""Character sets that hold one script of Chinese and nearly nothing of the other's own."""


async def catalogue(visit: Visitor, name: str) -> dict[str, Any]:
    page = await visit("/")
    return await page.evaluate(f"import('/assets/{name}.js').then((module) => module.TEXTS)")


def flat(texts: dict[str, Any], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in texts.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return found


async def test_every_language_has_every_text_with_the_same_places(visit: Visitor) -> None:
    for name in CATALOGUES:
        texts = {language: flat(found) for language, found in (await catalogue(visit, name)).items()}
        assert set(texts) == LANGUAGES
        for found in texts.values():
            assert found.keys() == texts["en"].keys()
            assert all(line.strip() for line in found.values())
            for key, line in found.items():
                places = re.findall(r"\{\w+\}|`[^`]*`", line)
                assert sorted(places) == sorted(re.findall(r"\{\w+\}|`[^`]*`", texts["en"][key])), key


async def test_chinese_texts_are_in_their_own_script(visit: Visitor) -> None:
    for name in CATALOGUES:
        for language, found in (await catalogue(visit, name)).items():
            if language in SCRIPT:
                for line in flat(found).values():
                    "".join(re.findall(r"[\u4e00-\u9fff]", line)).encode(SCRIPT[language])


async def test_every_text_is_used_and_every_used_text_exists(visit: Visitor, site: Steward) -> None:
    for name, (page, *scripts) in CATALOGUES.items():
        texts = (await catalogue(visit, name))["en"]
        html = site.get(page).body.decode()
        script = "".join(site.get(f"/assets/{script}.js").body.decode() for script in scripts)
        named = set(re.findall(r'data-(?:text|label|placeholder)="(\w+)"', html))
        asked = set(re.findall(r'\btext\("(\w+)["`,)]', script)) | set(re.findall(r'\bfact\("(\w+)"', script))
        assert named | asked <= texts.keys()
        words = named | set(re.findall(r"[\"`](\w+)[\"`.]", script))
        assert {key for key in texts if key not in words} == set()


async def test_every_value_that_the_api_may_give_has_a_word(visit: Visitor, site: Steward) -> None:
    texts = (await catalogue(visit, "texts"))["en"]
    schemas = site.get("/openapi.json").json["components"]["schemas"]
    enums = {
        "quota": "Quota",
        "plans": "Plan",
        "states": "TenantState",
        "actors": "ActorType",
        "outcomes": "AuditOutcome",
    }
    for group, schema in enums.items():
        assert texts[group].keys() == set(schemas[schema]["enum"]), group
    assert texts["part"].keys() >= site.get("/health").json["dependencies"].keys()
