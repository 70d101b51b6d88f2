from sqlalchemy import Engine

from registry.store.leases import acquire, release, renew

LONG, GONE = 60_000_000, -1


def test_one_at_a_time_holds_a_lease_and_may_ask_again(writing: Engine) -> None:
    first = acquire(writing, "a lease", owner="one", ttl=LONG)
    assert first is not None
    assert acquire(writing, "a lease", owner="two", ttl=LONG) is None
    assert acquire(writing, "another", owner="two", ttl=LONG) is not None
    assert acquire(writing, "a lease", owner="one", ttl=LONG) == first


def test_an_expired_lease_is_taken_over_with_a_higher_fence_and_its_holder_learns_of_it(
    writing: Engine,
) -> None:
    first = acquire(writing, "a lease", owner="one", ttl=GONE)
    second = acquire(writing, "a lease", owner="two", ttl=LONG)
    assert first is not None
    assert second is not None
    assert second.fence == first.fence + 1
    assert not renew(writing, first)
    assert renew(writing, second, ttl=LONG)


def test_a_renewed_lease_stays(writing: Engine) -> None:
    held = acquire(writing, "a lease", owner="one", ttl=GONE)
    assert held is not None
    assert renew(writing, held, ttl=LONG)
    assert acquire(writing, "a lease", owner="two") is None


def test_a_released_lease_is_free_at_once(writing: Engine) -> None:
    held = acquire(writing, "a lease", owner="one", ttl=LONG)
    assert held is not None
    release(writing, held)
    assert acquire(writing, "a lease", owner="two") is not None
