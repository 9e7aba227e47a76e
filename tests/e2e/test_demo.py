import json
import os
import shutil
import signal
import urllib.request
from typing import Any

import psutil

from tests.e2e.running import Steward, until

STEPS = ("demo:page", "demo:shop")
NEW = ("publishable_key", "shop_url")


def shop_pid(steward: Steward) -> int | None:
    for process in psutil.process_iter(["cmdline"]):
        if str(steward.home / "shop") in (process.info["cmdline"] or ()):
            return int(process.pid)
    return None


def ask(steward: Steward, key: str, message: str, **who: str) -> str:
    answer = steward.api("POST", "/api/v1/chat", {"message": message, **who}, key=key)
    assert answer.status == 200, answer
    return str(answer.json["message"])


def shipped(shop_url: str) -> Any:
    """A customer with an order on its way."""
    with urllib.request.urlopen(f"{shop_url}/demo/customers", timeout=5) as answer:
        return next(one for one in json.loads(answer.read()) if one["status"] == "shipped")


def test_older_home_gets_its_desk_whatever_crashes(steward: Steward) -> None:
    """One test for all of it, for each start of a platform costs seconds."""
    file = steward.home / "credentials.json"
    shutil.rmtree(steward.home / "shop")
    older = {name: value for name, value in json.loads(file.read_text()).items() if name not in NEW}
    file.write_text(json.dumps(older))
    for step in STEPS:
        steward.spawn("up", STEWARD_FAILPOINT=step)
        steward.wait_down()
    steward.start()
    until(lambda: all(name in steward.credentials for name in NEW))

    keys = steward.api("GET", "/api/v1/api-keys?limit=200").json["items"]
    made = [key for key in keys if key["name"] == "demo page" and key["kind"] == "publishable"]
    assert len(made) == 2, "one of the prepared home, one of this"
    assert steward.get("/demo").status == 200
    secret, publishable, url = (steward.credentials[name] for name in ("api_key", *NEW))
    assert steward.api("GET", "/api/v1/support/shop").json["base_url"] == url

    sample = shipped(url)
    question = f"Where is my order {sample['order_id']}?"
    assert "TRK" in ask(steward, secret, question, user_id=sample["customer_id"])
    assert "TRK" not in ask(steward, secret, question, user_id="C-1")
    assert "TRK" not in ask(steward, publishable, question)

    first = shop_pid(steward)
    assert first is not None
    os.kill(first, signal.SIGKILL)
    until(lambda: shop_pid(steward) not in {first, None})
    steward.kill()
    until(lambda: shop_pid(steward) is None)
