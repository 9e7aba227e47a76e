"""Refresh tokens: each is good once, and one that comes twice ends its session."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, rule, run_state_machine_as_test

from steward.services.identity.api import Tokens
from steward.services.identity.errors import AccountLocked, InvalidCredential
from tests.support.identity import Home, World

pytestmark = pytest.mark.parametrize("world", ["local"], indirect=True, scope="module")
"""In this process only: these tests reach into it, and what crosses gRPC is shown by the other modules."""


async def test_refresh_gives_new_tokens_of_the_same_session(world: World, home: Home) -> None:
    first = await world.login(home.owner.email)
    second = await world.identity.refresh(world.ctx(), refresh_token=first.refresh_token)
    assert second.session_id == first.session_id
    assert second.refresh_token != first.refresh_token
    await world.authenticated(second.access_token)
    refreshed = [audit for audit in await world.audits(home.tenant) if audit.action == "session.refreshed"]
    assert refreshed[-1].actor.id == str(home.owner.id)


async def test_second_use_ends_the_session_and_is_told(world: World, home: Home) -> None:
    first = await world.login(home.owner.email)
    second = await world.identity.refresh(world.ctx(), refresh_token=first.refresh_token)
    for spent in (first, second, first):
        with pytest.raises(InvalidCredential):
            await world.identity.refresh(world.ctx(), refresh_token=spent.refresh_token)
    with pytest.raises(InvalidCredential):
        await world.authenticated(second.access_token)
    assert "session.reuse_detected failed" in await world.actions(home.tenant)
    ended = [event for event in await world.events(home.tenant) if event.type == "identity.SessionRevoked"]
    assert [str(first.session_id) in bytes(event.payload).decode() for event in ended] == [True]


async def test_of_two_uses_at_once_one_wins_and_the_session_ends(world: World, home: Home) -> None:
    first = await world.login(home.owner.email)
    uses = (world.identity.refresh(world.ctx(), refresh_token=first.refresh_token) for _ in range(6))
    results = await asyncio.gather(*uses, return_exceptions=True)
    won = [result for result in results if isinstance(result, Tokens)]
    assert len(won) == 1
    assert all(isinstance(result, InvalidCredential) for result in results if result is not won[0])
    with pytest.raises(InvalidCredential):
        await world.identity.refresh(world.ctx(), refresh_token=won[0].refresh_token)


async def test_refresh_token_and_session_expire(world: World, home: Home) -> None:
    idle = await world.login(home.owner.email)
    world.clock.advance(timedelta(days=30).total_seconds())
    with pytest.raises(InvalidCredential):
        await world.identity.refresh(world.ctx(), refresh_token=idle.refresh_token)
    tokens = await world.login(home.owner.email)
    for _ in range(4):
        world.clock.advance(timedelta(days=22).total_seconds())
        tokens = await world.identity.refresh(world.ctx(), refresh_token=tokens.refresh_token)
    world.clock.advance(timedelta(days=2).total_seconds())
    with pytest.raises(InvalidCredential):
        await world.identity.refresh(world.ctx(), refresh_token=tokens.refresh_token)


@pytest.mark.parametrize("change", [lambda text: text[:-1], lambda text: text[:-4] + "AAAA", lambda _: "", str.upper])
async def test_altered_refresh_token_is_refused_and_harms_nobody(
    world: World, home: Home, change: Callable[[str], str]
) -> None:
    tokens = await world.login(home.owner.email)
    with pytest.raises(InvalidCredential):
        await world.identity.refresh(world.ctx(), refresh_token=change(tokens.refresh_token))
    await world.identity.refresh(world.ctx(), refresh_token=tokens.refresh_token)


class RefreshMachine(RuleBasedStateMachine):
    """Against a model: a token works if it is the newest of a session that has not ended; a spent one ends it."""

    run: Callable[[Coroutine[Any, Any, Any]], Any]
    world: World
    home: Home
    tokens = Bundle("tokens")

    @initialize()
    def begin(self) -> None:
        self.newest: dict[Any, str] = {}

    @rule(target=tokens)
    def login(self) -> Tokens:
        tokens = self.run(self.world.login(self.home.owner.email))
        self.newest[tokens.session_id] = tokens.refresh_token
        return tokens

    @rule(target=tokens, used=tokens)
    def refresh(self, used: Tokens) -> Tokens:
        works = self.newest.get(used.session_id) == used.refresh_token
        try:
            fresh = self.run(self.world.identity.refresh(self.world.ctx(), refresh_token=used.refresh_token))
        except InvalidCredential:
            assert not works
            self.newest.pop(used.session_id, None)
            return used
        assert works
        self.newest[used.session_id] = fresh.refresh_token
        return fresh

    @rule(used=tokens)
    def access(self, used: Tokens) -> None:
        try:
            self.run(self.world.authenticated(used.access_token))
        except InvalidCredential:
            assert used.session_id not in self.newest
        else:
            assert used.session_id in self.newest

    @rule(used=consumes(tokens))
    def revoke(self, used: Tokens) -> None:
        if used.session_id in self.newest:
            self.run(self.world.identity.revoke_session(self.home.owner.ctx, session_id=used.session_id))
            del self.newest[used.session_id]


class LockOutMachine(RuleBasedStateMachine):
    """Against a model: five failures in a row lock for fifteen minutes; a success or the end of a lock starts anew."""

    run: Callable[[Coroutine[Any, Any, Any]], Any]
    world: World
    count = 0

    @initialize()
    def begin(self) -> None:
        LockOutMachine.count += 1
        self.index = LockOutMachine.count.to_bytes(32, "big")
        self.failures = 0
        self.locked_until = self.world.clock.now()

    def locked(self) -> bool:
        return self.locked_until > self.world.clock.now()

    def attempt(self, outcome: Coroutine[Any, Any, Any]) -> bool:
        try:
            self.run(outcome)
        except AccountLocked:
            return False
        return True

    @rule()
    def fail(self) -> None:
        counted = self.attempt(self.world.parts.lock_out.failed(self.index))
        assert counted is not self.locked()
        if counted:
            self.failures += 1
        if self.failures == 5:
            self.failures = 0
            self.locked_until = self.world.clock.now() + timedelta(seconds=900)

    @rule()
    def succeed(self) -> None:
        assert self.attempt(self.world.parts.lock_out.succeeded(self.index)) is not self.locked()
        if not self.locked():
            self.failures = 0

    @rule()
    def check(self) -> None:
        assert self.attempt(self.world.parts.lock_out.check(self.index)) is not self.locked()

    @rule(seconds=st.sampled_from([1, 600, 900]))
    def wait(self, seconds: int) -> None:
        self.world.clock.advance(seconds)


@pytest.mark.parametrize("machine", [RefreshMachine, LockOutMachine])
async def test_histories_agree_with_the_model(
    world: World, home: Home, machine: type[RefreshMachine | LockOutMachine]
) -> None:
    loop = asyncio.get_running_loop()

    def run(work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)

    machine.run = staticmethod(run)
    machine.world, machine.home = world, home
    chosen = settings(
        max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=chosen)
