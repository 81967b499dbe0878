package main

import (
	"fmt"

	"rsyso.test/threads"
)

var _ = add(
	job{"spawn", 4, spawn},
	job{"scoped", 4, scoped},
	job{"rayon", 8, rayon},
	job{"pools", 1, pools},
	job{"channels", 4, channels},
	job{"locks", 2, locks},
	job{"thread-locals", 4, threadLocals},
	job{"panics-on-threads", 8, panicsOnThreads},
)

func spawn(w *worker) error {
	n := uint64(w.random.Intn(6))
	squares := uint64(0)
	for i := uint64(0); i < n; i++ {
		squares += i * i
	}
	return first(
		same("SpawnJoinRounds", threads.SpawnJoinRounds(n), squares),
		same("DetachedRounds", threads.DetachedRounds(n), squares),
		same("DeepSum", threads.DeepSum(1<<20, 500), 500*501/2),
	)
}

func scoped(w *worker) error {
	items := make([]uint64, 1000+w.random.Intn(1000))
	start, step := uint64(w.id), w.random.Uint64()>>32
	threads.ScopedFill(items, 4, start, step)
	sum := uint64(0)
	for i, got := range items {
		if err := same("ScopedFill", got, start+uint64(i)*step); err != nil {
			return err
		}
		sum += got
	}
	return first(
		same("ScopedSum", threads.ScopedSum(items, 3), sum),
		same("ScopedTree", threads.ScopedTree(2), 4),
	)
}

func rayon(w *worker) error {
	items := make([]uint64, 2000+w.random.Intn(2000))
	sum := uint64(0)
	for i := range items {
		items[i] = w.random.Uint64()
		sum += items[i]
	}
	got := threads.ParallelSum(items)
	threads.ParallelSort(items)
	for i := 1; i < len(items); i++ {
		if items[i-1] > items[i] {
			return fmt.Errorf("ParallelSort left %d before %d", items[i-1], items[i])
		}
	}
	return first(
		same("ParallelSum", got, sum),
		same("ParallelSum, sorted", threads.ParallelSum(items), sum),
		same("ParallelFibonacci", threads.ParallelFibonacci(12), 144),
	)
}

func pools(w *worker) error {
	workers := uint(1 + w.random.Intn(4))
	return same("PoolOf", threads.PoolOf(workers), workers)
}

func channels(w *worker) error {
	const producers, items = 2, 50
	funnel := threads.FunnelNew(w.random.Intn(4)-1, producers, items)
	for i := uint64(1); i <= items; i++ {
		if !threads.FunnelSend(funnel, producers, i) {
			return fmt.Errorf("the channel is closed")
		}
	}
	want := threads.Received{Count: (producers + 1) * items, Sum: (producers + 1) * items * (items + 1) / 2}
	return first(
		same("FunnelEnd", threads.FunnelEnd(funnel), want),
		same("Ring", threads.Ring(3, 10), 10*3*4/2),
	)
}

func locks(w *worker) error {
	const rounds = 64
	arena := threads.ArenaNew()
	threads.ArenaFightOnThreads(arena, 2, rounds, 5)
	threads.ArenaFight(arena, rounds, 1)
	want := threads.Totals{Mutex: rounds * 11, Lock: rounds / 4 * 11, OnceRan: 2}
	store := threads.StoreNew(2, 2)
	for i := uint64(1); i <= 20; i++ {
		threads.StorePut(store, i)
	}
	return first(
		same("ArenaEnd", threads.ArenaEnd(arena), want),
		same("StoreEnd", threads.StoreEnd(store), 210),
		same("BarrierRounds", threads.BarrierRounds(2, 5), 5),
		same("ParkRounds", threads.ParkRounds(5), 10),
	)
}

func threadLocals(w *worker) error {
	return same("LocalsRound", threads.LocalsRound(3, uint64(w.id)), 0)
}

func panicsOnThreads(w *worker) error {
	text := fmt.Sprintf("String: %d on purpose", w.id)
	id, depth := uint64(w.id), uint32(1+w.random.Intn(20))
	return first(
		same("PanicOnAThread", w.text(threads.PanicOnAThread(threads.PayloadText, id, depth, w.buf)), text),
		same("PanicCaught", w.text(threads.PanicCaught(threads.PayloadText, id, depth, w.buf)), text),
		same("PanicCaught", w.text(threads.PanicCaught(threads.PayloadNumber, id, depth, w.buf)), fmt.Sprintf("u64: %d", w.id)),
		same("PanicPoisons", threads.PanicPoisons(), true),
	)
}
