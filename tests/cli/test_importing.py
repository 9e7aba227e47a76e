"""`steward import` and `steward intents put`: files into knowledge and intents."""

import json
from pathlib import Path

import pytest

FAQS = ("POST", "/api/v1/knowledge/faqs/import")
DOCUMENTS = ("POST", "/api/v1/knowledge/documents")
INTENTS = "/api/v1/support/intents"
IMPORTED = {"created": 2, "updated": 1, "unchanged": 3, "problems": []}


def stored(request):
    documents = request.body["documents"]
    answers = [{"id": one["id"], "version": 1, "chunks": 1, "changed": "old" not in one["text"]} for one in documents]
    return 200, {"documents": answers}


@pytest.mark.parametrize(
    ("name", "options", "form"),
    [("f.csv", (), "csv"), ("f.MD", (), "markdown"), ("f.txt", ("--format", "csv"), "csv")],
)
def test_faqs_are_sent_in_the_format_of_the_file(authorized, remote, tmp_path: Path, name, options, form) -> None:
    file = tmp_path / name
    file.write_bytes(b"\xef\xbb\xbfquestion,answer\n\xe8\xbf\x90\xe8\xb4\xb9,1\n")
    remote.on(*FAQS, (200, IMPORTED))
    result = authorized("import", "faqs", str(file), *options)
    assert result.exit_code == 0, result.output
    assert "2 created, 1 updated, 3 unchanged." in result.stdout
    assert remote.requests[-1].body == {"format": form, "content": "question,answer\n运费,1\n"}


def test_each_line_that_could_not_be_taken_is_told(authorized, remote, tmp_path: Path) -> None:
    file = tmp_path / "f.csv"
    file.write_text("question,answer\na,\n")
    answer = {**IMPORTED, "problems": [{"line": 2, "problem": "answer is empty"}]}
    remote.on(*FAQS, (200, answer))
    result = authorized("import", "faqs", str(file))
    assert result.exit_code == 1
    assert result.stdout.splitlines()[1].split(maxsplit=1) == ["2", "answer is empty"]
    machine = authorized("import", "faqs", str(file), "--json")
    assert (machine.exit_code, json.loads(machine.stdout)) == (1, answer)


@pytest.mark.parametrize("name", ["f.txt", "missing.csv", "latin.csv"])
def test_a_file_that_cannot_be_sent_is_wrong_usage(authorized, remote, tmp_path: Path, name) -> None:
    (tmp_path / "f.txt").write_text("x")
    (tmp_path / "latin.csv").write_bytes(b"question,answer\ncaf\xe9,1\n")
    result = authorized("import", "faqs", str(tmp_path / name))
    assert result.exit_code == 2
    assert name in result.stderr
    assert remote.requests == []


def test_documents_of_a_directory_have_their_paths_as_ids(authorized, remote, tmp_path: Path) -> None:
    (tmp_path / "guide").mkdir()
    (tmp_path / "guide" / "a.md").write_text("intro\n\n# The guide #\n\ntext")
    (tmp_path / "b.txt").write_text("old text")
    (tmp_path / "empty.txt").write_text(" \n")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    remote.on(*DOCUMENTS, stored)
    result = authorized("import", "documents", str(tmp_path))
    assert result.exit_code == 1
    assert "1 created, 0 updated, 1 unchanged." in result.stdout
    assert result.stdout.splitlines()[1].startswith("empty.txt")
    [request] = remote.requests
    sent = [(one["id"], one["title"]) for one in request.body["documents"]]
    assert sent == [("b.txt", "b"), ("guide/a.md", "The guide")]


def test_documents_go_in_batches(authorized, remote, tmp_path: Path) -> None:
    for number in range(401):
        (tmp_path / f"{number:03}.txt").write_text("text")
    remote.on(*DOCUMENTS, stored)
    assert "401 created" in authorized("import", "documents", str(tmp_path)).stdout
    assert [len(request.body["documents"]) for request in remote.requests] == [200, 200, 1]


def test_the_document_at_fault_is_told_and_the_others_are_stored(authorized, remote, problem_of, tmp_path) -> None:
    for name in ("a.txt", "bad.txt", "c.txt"):
        (tmp_path / name).write_text(name)

    def answer(request):
        ids = [one["id"] for one in request.body["documents"]]
        return (409, problem_of(409, "document_is_faq", "is a FAQ")) if "bad.txt" in ids else stored(request)

    remote.on(*DOCUMENTS, answer)
    result = authorized("import", "documents", str(tmp_path), "--json")
    found = json.loads(result.stdout)
    assert (found["created"], found["problems"]) == (2, [{"source": "bad.txt", "problem": "is a FAQ"}])
    assert result.exit_code == 1


def test_a_refusal_that_no_document_is_the_reason_of_ends_the_import(authorized, remote, problem_of, tmp_path) -> None:
    (tmp_path / "a.txt").write_text("a")
    remote.on(*DOCUMENTS, (403, problem_of(403, "permission_denied", "knowledge:write is missing")))
    assert authorized("import", "documents", str(tmp_path)).exit_code == 4


@pytest.mark.parametrize("path", ["nothing-here", "."])
def test_no_documents_is_wrong_usage(authorized, tmp_path: Path, path) -> None:
    assert authorized("import", "documents", str(tmp_path / path)).exit_code == 2


def test_intents_are_put_and_their_training_is_shown(authorized, remote, tmp_path: Path) -> None:
    file = tmp_path / "intents.json"
    file.write_text('{"intents": [{"name": "a", "examples": ["x", "y"]}]}')
    answer = {
        "version": 3,
        "state": "training",
        "intents": [{"name": "a", "examples": 2}],
        "examples": 2,
        "serving_version": 2,
        "accuracy": 0.5,
    }
    remote.on("PUT", INTENTS, (202, answer))
    remote.on("GET", INTENTS, (200, {**answer, "state": "failed", "problem": "too few"}))
    result = authorized("intents", "put", str(file), "--lang", "zh-Hant")
    assert result.exit_code == 0, result.output
    assert remote.requests[-1].body == {"intents": [{"name": "a", "examples": ["x", "y"]}]}
    assert "訓練中" in result.stderr
    assert "too few" in authorized("intents", "show").stderr
    file.write_text('{"intents": []')
    assert authorized("intents", "put", str(file)).exit_code == 2
