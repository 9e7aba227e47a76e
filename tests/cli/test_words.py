"""What the platform tells of states is shown in the reader's language, and for programs as it is."""

import json

import pytest

from steward.bootstrap.cli.messages import WORDS, Texts
from steward.bootstrap.cli.options import Lang
from steward.kit.audit import Outcome
from steward.kit.health import State, Status
from steward.services.identity.api import UserState
from steward.services.support.api import TrainingState
from steward.services.tenants.api import TenantState
from tests.cli.examples import entry, tenant, user, uuid

HERE = {"status": "up", "version": "1", "dependencies": {"tenants": {"status": "ok", "detail": "in this process"}}}
LISTS = (
    (("users", "list"), "/api/v1/users", {"items": [user(state="invited")], "next_cursor": None}, "已邀請"),
    (("users", "show", uuid(1)), f"/api/v1/users/{uuid(1)}", user(state="disabled"), "已停用"),
    (("tenants", "list"), "/api/v1/tenants", {"items": [tenant(state="suspended")], "next_cursor": None}, "已暫停"),
    (("tenants", "show", uuid(9)), f"/api/v1/tenants/{uuid(9)}", tenant(state="provisioning"), "建立中"),
    (("audit", "list"), "/api/v1/audit/entries", {"items": [entry(1)], "next_cursor": None}, "完成"),
    (("audit", "show", "1"), "/api/v1/audit/entries/1", entry(1, outcome="denied"), "拒絕"),
    (("status",), "/health", {**HERE, "status": "degraded"}, "在此行程中"),
)


@pytest.mark.parametrize(("command", "path", "answer", "word"), LISTS)
def test_states_are_told_in_the_language_of_the_reader(authorized, remote, command, path, answer, word) -> None:
    remote.on("GET", path, (200, answer))
    shown = authorized(*command, "--lang", "zh-Hant").stdout
    assert word in shown
    english = [name for name in WORDS if f" {name} " in shown.replace("\n", " ")]
    assert english == []
    assert word not in authorized(*command).stdout
    assert json.loads(authorized(*command, "--lang", "zh-Hant", "--json").stdout) == answer


def test_summary_of_the_status_is_told_whole(authorized, remote) -> None:
    remote.on("GET", "/health", (503, {**HERE, "status": "down"}))
    assert authorized("status", "--lang", "zh-Hans").stderr.rstrip().endswith(f"{WORDS['down'][1]}。")


def test_every_state_has_its_word() -> None:
    kinds = (UserState, TenantState, Outcome, Status, State, TrainingState)
    assert {state.value for kind in kinds for state in kind} <= set(WORDS)
    assert {lang: Texts(lang).word("invited") for lang in Lang} == {
        Lang.EN: "invited",
        Lang.ZH_HANT: "已邀請",
        Lang.ZH_HANS: "已邀请",
    }
    assert Texts(Lang.ZH_HANS).word("at 10.0.0.1:9") == "at 10.0.0.1:9"
