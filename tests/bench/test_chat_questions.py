"""The messages of the chat benchmark: none comes twice, and they are those of the demo shop's FAQs."""

from itertools import islice

from bench.chat_questions import FAQS, different, questions, wordings


def test_no_message_comes_twice_in_fifty_thousand() -> None:
    messages = list(islice(different(wordings()[:150]), 50_000))
    assert len(set(messages)) == len(messages)


def test_wordings_and_questions_are_of_the_faqs_in_three_scripts() -> None:
    ids = {line.split(",", 1)[0] for line in FAQS.read_text(encoding="utf-8").splitlines()}
    found = wordings()
    assert {wording.faq for wording in found} <= ids
    assert {wording.faq.rpartition(".")[2] for wording in found} == {"en", "zh-Hant", "zh-Hans"}
    assert len(questions()) >= 60
