"""Problems of playbooks: each is found, and named with its line, its path, its value and what to do."""

from pathlib import Path
from textwrap import dedent

import msgspec
import pytest

from steward.services.support.dialogue import schema
from steward.services.support.dialogue.checks import check
from steward.services.support.dialogue.yaml_source import NotReadable, read
from tests.support.dialogue import WORLD

_TEXT = "{en: Hello, zh-Hant: 您好, zh-Hans: 您好}"
_HEAD = f"""\
kind: playbook
name: mine
agent: order
title: {_TEXT}
handles: [{{intent: order}}]
log_in: {_TEXT}
slots:
  order_id: {{type: entity, entity: order_id}}
  order: {{type: data}}
steps:
"""
_CANCEL = 'do: call, tool: shop.cancel_order, with: {order_id: "{order_id}"}'
_WRONG = {
    "change without a confirmation": (
        f"  - {{do: ask, slot: order_id, text: {_TEXT}}}\n  - {{{_CANCEL}}}",
        "line 12, steps[1]: shop.cancel_order changes something in the shop: put a `confirm` before it on every way, "
        "with no question and no other change between them",
    ),
    "confirmation on one way only": (
        f"  - {{do: ask, slot: order_id, text: {_TEXT}}}\n"
        "  - {do: when, if: {slot: wish, equals: now}, go: cancel}\n"
        f"  - {{do: confirm, text: {_TEXT}}}\n"
        f"  - {{id: cancel, {_CANCEL}}}",
        "line 14, steps[3]: shop.cancel_order changes something in the shop: put a `confirm` before it on every way, "
        "with no question and no other change between them",
    ),
    "a question between confirmation and change": (
        f"  - {{do: confirm, text: {_TEXT}}}\n  - {{do: ask, slot: order_id, text: {_TEXT}}}\n  - {{{_CANCEL}}}",
        "line 13, steps[2]: shop.cancel_order changes something in the shop: put a `confirm` before it on every way, "
        "with no question and no other change between them",
    ),
    "two changes for one yes": (
        f"  - {{do: ask, slot: order_id, text: {_TEXT}}}\n  - {{do: confirm, text: {_TEXT}}}\n"
        f"  - {{{_CANCEL}}}\n  - {{{_CANCEL}}}",
        "line 14, steps[3]: shop.cancel_order changes something in the shop: put a `confirm` before it on every way, "
        "with no question and no other change between them",
    ),
    "a ring without a question": (
        f"  - {{id: a, do: say, text: {_TEXT}}}\n  - {{do: go, to: a}}",
        "line 11, steps[0]: these steps can follow each other for ever: 'a', '#1'; put a question between them that "
        "waits",
    ),
    "a ring whose question is answered already": (
        f"  - {{id: a, do: ask, slot: order_id, text: {_TEXT}}}\n  - {{do: go, to: a}}",
        "line 11, steps[0]: these steps can follow each other for ever: 'a', '#1'; put a question between them that "
        "waits",
    ),
    "unknown tool": (
        "  - {do: call, tool: shop.get_ordr}",
        "line 11, steps[0].tool: there is no tool 'shop.get_ordr': did you mean 'shop.get_order'? known are "
        "shop.cancel_order, shop.change_address, shop.find_product, shop.get_order, shop.get_refund, shop.list_orders, "
        "shop.refund_eligibility, shop.request_refund",
    ),
    "argument missing and unknown": (
        '  - {do: call, tool: shop.get_order, with: {number: "1"}}',
        "line 11, steps[0]: shop.get_order needs 'order_id': add it to `with`\n"
        "line 11, steps[0].with.number: shop.get_order takes no 'number': known are order_id",
    ),
    "slot that may be empty": (
        '  - {do: call, tool: shop.get_order, with: {order_id: "{order_id}"}}',
        "line 11, steps[0].with.order_id: the slot 'order_id' is empty on some way to this step: ask for it, save it, "
        "or test it first",
    ),
    "unknown slot, filter and brace": (
        '  - do: say\n    text:\n      en: "{ordr.id} {"\n      zh-Hant: "{order.x|loud}"\n      zh-Hans: "{ordr.id}"',
        "line 13, steps[0].text.en: a lone '{' at character 11: write it twice for a brace\n"
        "line 14, steps[0].text.zh-Hant: the filter 'loud' of {order.x|loud} is not known: known are date, money, "
        "status, refund_status, items, number\n"
        "line 15, steps[0].text.zh-Hans: there is no slot 'ordr': did you mean 'order'? known are message, order, "
        "order_id, wish",
    ),
    "step that is nowhere": (
        "  - {do: go, to: nowhere}",
        "line 11, steps[0].to: there is no step 'nowhere': none are known",
    ),
    "step twice, and one that no way leads to": (
        f"  - {{id: a, do: end}}\n  - {{id: a, do: say, text: {_TEXT}}}",
        "line 12, steps[1].id: the step 'a' is there twice: rename one",
    ),
    "step that no way leads to": (
        f"  - {{do: end}}\n  - {{id: b, do: say, text: {_TEXT}}}",
        "line 12, steps[1]: no way leads to the step 'b': remove it, or go to it",
    ),
    "condition with two tests": (
        "  - {do: when, if: {slot: order_id, exists: true, equals: x}, go: b}\n  - {id: b, do: end}",
        "line 11, steps[0].if: write `slot` with one of equals, in, exists, less, greater; or one of all, any, not",
    ),
    "several problems of form at once": (
        "  - {do: shout}\n  - {do: say, txt: hi}\n  - {do: end, text: {en: 7, zh-Hant: x, zh-Hans: x}}\n  - end",
        "line 11, steps[0]: `do: shout` is not known; known are ask, call, confirm, end, forget, "
        "go, guide, hand_off, say, search, when\n"
        "line 12, steps[1]: unknown field `txt`: did you mean 'text'? known are do, id, text\n"
        "line 13, steps[2].text.en: 7 is a number and not a text: put it in quotation marks\n"
        "line 14, steps[3]: this is a text: write a map with `do`",
    ),
    "a language missing": (
        "  - {do: say, text: {en: Hello, zh-Hant: 您好}}",
        "line 11, steps[0].text: the field `zh-Hans` is missing: add it",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("steps", "problems"), _WRONG.values(), ids=_WRONG)
def test_problem_is_named_with_line_path_and_remedy(steps: str, problems: str) -> None:
    assert "\n".join(map(str, check(_HEAD + steps, WORLD).problems)) == problems


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("intent: order", "intent: ordr", "line 5, handles[0].intent: the intent 'ordr' is not known: did you mean "
         "'order'? known are any, faq, human, order, refund, technical"),
        ("name: mine", "name: Mine", "line 2, name: expected `str` matching regex '^[a-z][a-z0-9_-]{0,62}$', and this "
         "is 'Mine': correct it"),
        ("name: mine", "name: hand_off", "line 2, name: the name 'hand_off' is taken by the desk: choose another"),
        ("agent: order", "agent: ordering", "line 3, agent: 'ordering' is not known: did you mean 'order'? known are "
         "faq, human, order, refund, technical"),
        ("kind: playbook\n", "", "line 1, kind: `kind` is missing: add it; known are phrases, playbook"),
        ("entity: order_id", "entity: order", "line 8, slots.order_id.entity: 'order' is not known: did you mean "
         "'order_id'? known are amount, date, email, order_id, product_name"),
    ],
)  # fmt: skip
def test_problem_of_the_head_is_named(old: str, new: str, problem: str) -> None:
    source = _HEAD.replace(old, new, 1) + "  - {do: end}"
    assert [str(each) for each in check(source, WORLD).problems] == [problem]


def test_tool_for_customers_needs_a_word_for_others() -> None:
    source = _HEAD.replace(f"log_in: {_TEXT}\n", "") + "  - {do: call, tool: shop.list_orders, save: order}"
    assert [str(each) for each in check(source, WORLD).problems] == [
        "line 10, steps[0].tool: shop.list_orders needs a customer who is logged in: add `log_in` to the playbook, for "
        "those who are not"
    ]


def test_name_is_the_one_it_is_put_under() -> None:
    problems = check(_HEAD + "  - {do: end}", WORLD, name="yours").problems
    assert [str(each) for each in problems] == [
        "line 2, name: the name 'mine' is not 'yours', which it is put under: use one name"
    ]


def test_ring_that_empties_its_slot_is_fine() -> None:
    steps = f"""\
      - {{id: a, do: ask, slot: order_id, text: {_TEXT}}}
      - {{do: forget, slots: [order_id]}}
      - {{do: go, to: a}}
    """
    assert not check(_HEAD + dedent(steps), WORLD).problems


def test_phrase_that_is_not_known() -> None:
    source = (
        f"kind: phrases\nname: mine\nphrases:\n  glda: {_TEXT}\n  next: {{en: '{{titel}}', zh-Hant: x, zh-Hans: x}}"
    )
    problems = check(source, WORLD).problems
    assert str(problems[0]).startswith("line 4, phrases.glda: the phrase 'glda' is not known: did you mean 'glad'?")
    assert str(problems[1]) == (
        "line 5, phrases.next.en: {titel} is none of the values of this phrase: did you mean 'title'? known are title"
    )


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("a: &x 1\nb: *x", "line 1, the file: the anchor &x is not taken: write the value out each time"),
        ("a: *x", "line 1, the file: the alias *x is not taken: write the value out"),
        ("a: !!python/object:os.system x", "line 1, the file: the tag tag:yaml.org,2002:python/object:os.system is not "
         "taken: remove it"),
        ("a: 1\na: 2", "line 2, the file: the key 'a' is there twice: remove one"),
        ("a: 1\n---\nb: 2", "line 2, the file: a second document begins: keep one playbook in a file"),
        ("[" * 30 + "]" * 30, "line 1, " + "[0]" * 19 + ": nested deeper than 20: flatten it"),
        ("a: [1", "line 2, the file: column 1: did not find expected ',' or ']': correct the YAML"),
        ("x" * 200_001, "line 1, the file: 200001 characters are more than the 200000 taken: shorten it"),
        ("? [a]\n: b", "line 1, the file: a list or map stands as a key: use a text"),
    ],
)  # fmt: skip
def test_yaml_that_is_not_taken(source: str, problem: str) -> None:
    with pytest.raises(NotReadable) as refused:
        read(source)
    assert str(refused.value.problem) == problem


def test_yaml_is_read_by_the_core_schema() -> None:
    document = read("on: no\nyes: [1, 1.5, true, ~, '2', 2026-01-01, 0x1F]")
    assert document.value == {"on": "no", "yes": [1, 1.5, True, None, "2", "2026-01-01", "0x1F"]}
    assert document.line(("yes", 3)) == 2


def test_schema_in_the_docs_is_that_of_the_structs() -> None:
    """Written anew by `python -m steward.services.support.dialogue.schema`."""
    assert Path(schema.SCHEMA).read_text(encoding="utf-8") == schema.text()
    assert set(schema.schema()["$defs"]) >= {"Playbook", "Phrases", "Text", "Confirm", "EntitySlot"}


def test_example_of_the_reference_has_no_problem() -> None:
    page = Path("docs/reference/playbooks.md").read_text(encoding="utf-8")
    example = page.split("<!-- example -->\n\n```yaml\n")[1].split("\n```")[0]
    assert not check(example, WORLD).problems


def test_every_step_slot_and_phrase_is_in_the_reference() -> None:
    page = Path("docs/reference/playbooks.md").read_text(encoding="utf-8")
    for name, definition in schema.schema()["$defs"].items():
        for field in definition.get("properties", {}):
            assert f"`{field}`" in page or f"{field}:" in page, (name, field)


def test_msgspec_decodes_what_the_schema_says() -> None:
    assert msgspec.json.decode(schema.text())["discriminator"]["propertyName"] == "kind"
