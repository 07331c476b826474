"""What every journal must do, whatever it keeps runs in: said once, asked of each."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.errors import InternalError, JournalUnwritable, LeaseLost
from hub.journals import Journal, Lease, Query
from hub.model import Outcome, Run
from tests.hub.journals.stores import NOON, SPOKE, Store, a_run, listed


def closed(run: Run, outcome: Outcome = Outcome.FIXED, **given: Any) -> Run:
    facts: dict[str, Any] = {"changed": True, "after": {"status": "Enabled"}, "closed_at": NOON}
    return replace(run, outcome=outcome, **(facts | given))


class TestLease:
    async def test_a_free_name_is_leased_with_the_first_fence(self, journal: Journal) -> None:
        lease = await journal.lease("resource/bucket", owner="a", seconds=60)
        assert lease == Lease(
            name="resource/bucket", owner="a", fence=1, expires_at=NOON + timedelta(seconds=60)
        )

    async def test_a_held_name_is_given_to_nobody_not_even_its_owner(self, store: Store) -> None:
        one, two = await store.worker(), await store.worker()
        assert await one.lease("bucket", owner="a", seconds=60)
        store.clock.forward(59.9)
        assert await two.lease("bucket", owner="b", seconds=60) is None
        assert await one.lease("bucket", owner="a", seconds=60) is None

    async def test_ten_tasks_of_two_workers_race_and_one_wins(self, store: Store) -> None:
        workers = [await store.worker(), await store.worker()]
        taken = await asyncio.gather(
            *(workers[i % 2].lease("bucket", owner=f"task-{i}", seconds=60) for i in range(10))
        )
        assert [lease.fence for lease in taken if lease] == [1]

    async def test_ten_tasks_race_for_an_expired_lease_and_one_wins(self, store: Store) -> None:
        workers = [await store.worker(), await store.worker()]
        assert await workers[0].lease("bucket", owner="dead", seconds=60)
        store.clock.forward(60)
        taken = await asyncio.gather(
            *(workers[i % 2].lease("bucket", owner=f"task-{i}", seconds=60) for i in range(10))
        )
        assert [lease.fence for lease in taken if lease] == [2]

    async def test_different_names_are_held_side_by_side(self, journal: Journal) -> None:
        taken = [await journal.lease(f"bucket-{i}", owner="a", seconds=60) for i in range(3)]
        assert [lease.fence for lease in taken if lease] == [1, 1, 1]

    async def test_an_expired_lease_is_taken_with_a_higher_fence_and_its_zombie_cannot_go_on(
        self, store: Store
    ) -> None:
        zombie, heir = await store.worker(), await store.worker()
        lost = await zombie.lease("bucket", owner="zombie", seconds=60)
        assert lost is not None
        await zombie.open(a_run(fence=lost.fence))
        store.clock.forward(61)
        taken = await heir.lease("bucket", owner="heir", seconds=60)
        assert taken is not None
        assert taken.fence == lost.fence + 1
        await heir.open(a_run(fence=taken.fence))
        assert await zombie.renew(lost, seconds=60) is None
        with pytest.raises(LeaseLost):
            await zombie.open(a_run(fence=lost.fence))
        with pytest.raises(LeaseLost):
            await zombie.close(closed(a_run(fence=lost.fence)))
        kept = await heir.get("run-1")
        assert kept is not None
        assert (kept.fence, kept.outcome) == (taken.fence, None)

    async def test_a_zombies_release_leaves_the_heirs_lease_alone(self, store: Store) -> None:
        journal = await store.worker()
        lost = await journal.lease("bucket", owner="zombie", seconds=60)
        store.clock.forward(60)
        assert await journal.lease("bucket", owner="heir", seconds=60)
        assert lost is not None
        await journal.release(lost)
        assert await journal.lease("bucket", owner="third", seconds=60) is None

    async def test_a_renewed_lease_lasts_from_the_renewal_on(self, store: Store) -> None:
        journal = await store.worker()
        lease = await journal.lease("bucket", owner="a", seconds=60)
        assert lease is not None
        store.clock.forward(50)
        renewed = await journal.renew(lease, seconds=60)
        assert renewed == replace(lease, expires_at=NOON + timedelta(seconds=110))
        store.clock.forward(59)
        assert await journal.lease("bucket", owner="b", seconds=60) is None
        store.clock.forward(1)
        assert await journal.lease("bucket", owner="b", seconds=60)

    async def test_an_expired_lease_that_nobody_took_can_be_renewed(self, store: Store) -> None:
        journal = await store.worker()
        lease = await journal.lease("bucket", owner="a", seconds=60)
        assert lease is not None
        store.clock.forward(3600)
        assert await journal.renew(lease, seconds=60)
        assert await journal.lease("bucket", owner="b", seconds=60) is None

    async def test_a_released_lease_is_free_at_once_and_its_fence_goes_on_growing(
        self, journal: Journal
    ) -> None:
        for fence in (1, 2, 3):
            lease = await journal.lease("bucket", owner="same", seconds=60)
            assert lease is not None
            assert lease.fence == fence
            await journal.release(lease)
            assert await journal.renew(lease, seconds=60) is None

    async def test_a_lease_given_back_can_neither_be_released_nor_renewed_from_its_next_holder(
        self, journal: Journal
    ) -> None:
        first = await journal.lease("bucket", owner="same", seconds=60)
        assert first is not None
        await journal.release(first)
        second = await journal.lease("bucket", owner="same", seconds=60)
        await journal.release(first)
        assert await journal.renew(first, seconds=60) is None
        assert second is not None
        assert await journal.renew(second, seconds=60)

    @pytest.mark.parametrize("name", ["x" * 5000, "lone \ud800 surrogate", "nul \0 and\nline", "Übung/日本"])
    async def test_whatever_a_finding_calls_its_resource_can_be_leased(
        self, journal: Journal, name: str
    ) -> None:
        lease = await journal.lease(name, owner="a", seconds=60)
        assert lease is not None
        assert lease.name == name
        assert await journal.lease(name, owner="b", seconds=60) is None
        assert await journal.lease(name + "x", owner="b", seconds=60)
        await journal.release(lease)
        assert await journal.lease(name, owner="b", seconds=60)


class TestRun:
    async def test_an_opened_run_is_read_back_whole_by_another_worker(self, store: Store) -> None:
        run = a_run(
            args=("days", "30 days"), notes=("a note",), entity_id="bucket", rule="Règle", undo="exact"
        )
        assert await (await store.worker()).open(run) == run
        assert await (await store.worker()).get("run-1") == run

    async def test_an_unknown_run_is_none(self, journal: Journal) -> None:
        assert await journal.get("no such run") is None

    async def test_reopening_after_a_crash_keeps_what_was_there_before_the_first_attempt(
        self, journal: Journal
    ) -> None:
        await journal.open(a_run(fence=1))
        again = a_run(
            fence=2, before={"status": "Enabled"}, opened_at=NOON + timedelta(minutes=5), session="second"
        )
        reopened = await journal.open(again)
        assert reopened == replace(again, before={"status": "Off"}, opened_at=NOON)
        assert await journal.get("run-1") == reopened

    async def test_the_same_worker_may_open_its_run_again(self, journal: Journal) -> None:
        await journal.open(a_run())
        assert await journal.open(a_run()) == a_run()

    async def test_opening_a_closed_run_gives_it_as_it_is(self, journal: Journal) -> None:
        done = closed(await journal.open(a_run(fence=1)))
        await journal.close(done)
        assert await journal.open(a_run(fence=2, before={"status": "Enabled"})) == done
        assert await journal.get("run-1") == done

    async def test_a_run_that_was_never_opened_can_be_closed(self, journal: Journal) -> None:
        refused = closed(a_run(before=None), Outcome.REFUSED, changed=False, after=None)
        await journal.close(refused)
        assert await journal.get("run-1") == refused

    async def test_closing_again_with_the_same_outcome_changes_nothing(self, journal: Journal) -> None:
        done = closed(await journal.open(a_run()), message="first words")
        await journal.close(done)
        await journal.close(replace(done, message="other words"))
        assert await journal.get("run-1") == done

    async def test_a_closed_run_is_never_overwritten_by_another_outcome(self, journal: Journal) -> None:
        done = closed(await journal.open(a_run()))
        await journal.close(done)
        with pytest.raises(LeaseLost, match="closed as fixed"):
            await journal.close(closed(a_run(fence=9), Outcome.FAILED))
        assert await journal.get("run-1") == done

    async def test_closing_without_the_saved_state_keeps_it(self, journal: Journal) -> None:
        await journal.open(a_run(notes=("seen",)))
        unaware = a_run(before=None, session="", opened_at=NOON + timedelta(seconds=5))
        await journal.close(closed(unaware, Outcome.FAILED, after=None))
        kept = await journal.get("run-1")
        assert kept is not None
        assert kept.before == {"status": "Off"}
        assert kept.session == "hub.s3_enable_versioning.1"
        assert kept.notes == ("seen",)
        assert kept.opened_at == NOON
        assert kept.outcome is Outcome.FAILED

    async def test_a_later_holder_closes_what_a_dead_worker_opened(self, journal: Journal) -> None:
        await journal.open(a_run(fence=1))
        await journal.close(closed(a_run(fence=2)))
        kept = await journal.get("run-1")
        assert kept is not None
        assert (kept.fence, kept.outcome) == (2, Outcome.FIXED)

    async def test_of_two_workers_that_close_differently_one_is_refused(self, store: Store) -> None:
        one, two = await store.worker(), await store.worker()
        await one.open(a_run())
        ends = await asyncio.gather(
            one.close(closed(a_run(), Outcome.FIXED)),
            two.close(closed(a_run(), Outcome.FAILED)),
            return_exceptions=True,
        )
        assert sorted(type(end).__name__ for end in ends) == ["LeaseLost", "NoneType"]
        kept = await one.get("run-1")
        assert kept is not None
        assert kept.outcome is (Outcome.FIXED if ends[0] is None else Outcome.FAILED)

    async def test_of_many_tasks_that_open_one_run_the_first_state_stays(self, store: Store) -> None:
        one, two = await store.worker(), await store.worker()
        opened = await asyncio.gather(
            *((one if i % 2 else two).open(a_run(before={"attempt": i})) for i in range(6))
        )
        kept = await one.get("run-1")
        assert kept is not None
        assert {str(run.before) for run in opened} == {str(kept.before)}

    async def test_an_undone_run_names_the_run_that_took_it_back_and_keeps_its_outcome(
        self, journal: Journal
    ) -> None:
        done = closed(await journal.open(a_run()))
        await journal.close(done)
        await journal.mark_undone("run-1", by="run-2")
        assert await journal.get("run-1") == replace(done, undone_by="run-2")
        assert [run.undone_by async for run in journal.runs(Query())] == ["run-2"]
        await journal.close(done)
        assert await journal.get("run-1") == replace(done, undone_by="run-2")

    async def test_only_a_closed_run_can_be_marked_as_undone(self, journal: Journal) -> None:
        await journal.open(a_run())
        for run_id in ("run-1", "no such run"):
            with pytest.raises(JournalUnwritable, match="no closed run"):
                await journal.mark_undone(run_id, by="run-2")
        assert await journal.get("no such run") is None
        assert await journal.get("run-1") == a_run()

    async def test_a_snapshot_that_is_not_json_is_refused_before_anything_is_written(
        self, journal: Journal
    ) -> None:
        with pytest.raises(JournalUnwritable, match="cannot be written as JSON"):
            await journal.open(a_run(before={"when": NOON}))
        assert await journal.get("run-1") is None

    async def test_a_large_state_survives(self, journal: Journal) -> None:
        large = {"rules": [{"cidr": f"192.0.2.{i % 256}/32", "text": "größer 日本" * 3} for i in range(8000)]}
        await journal.open(a_run(before=large))
        await journal.close(closed(a_run(before=large), after=large))
        kept = await journal.get("run-1")
        assert kept is not None
        assert (kept.before, kept.after) == (large, large)

    async def test_opening_what_has_an_outcome_and_closing_what_has_none_are_defects(
        self, journal: Journal
    ) -> None:
        with pytest.raises(InternalError):
            await journal.open(closed(a_run()))
        with pytest.raises(InternalError):
            await journal.close(a_run())


class TestSettled:
    async def test_an_occurrence_is_settled_once_its_report_is_out(self, store: Store) -> None:
        journal = await store.worker()
        assert await journal.settled("occurrence-1") is None
        await journal.settle("occurrence-1", report_id="report-1")
        assert await (await store.worker()).settled("occurrence-1") == "report-1"
        assert await journal.settled("occurrence-2") is None

    async def test_settling_again_keeps_the_first_report(self, journal: Journal) -> None:
        await journal.settle("occurrence-1", report_id="report-1")
        await journal.settle("occurrence-1", report_id="report-1")
        await journal.settle("occurrence-1", report_id="report-2")
        assert await journal.settled("occurrence-1") == "report-1"

    async def test_runs_leases_and_settlements_of_one_name_do_not_mix(self, journal: Journal) -> None:
        await journal.open(a_run("same"))
        await journal.settle("same", report_id="report-1")
        lease = await journal.lease("same", owner="a", seconds=60)
        assert lease is not None
        assert lease.fence == 1
        assert await journal.get("same") == a_run("same")
        assert await listed(journal, account_id=SPOKE) == ["same"]
