package main

import (
	"runtime"
	"syscall"

	"rsyso.test/faults"
)

var _ = add(
	job{"faults", 40, faultsTaken},
	job{"faults-on-threads", 2, faultsOnThreads},
)

// noDefer lets the handler's signal come while it runs (SA_NODEFER).
const noDefer = 0x40000000

var installed = faults.Install(noDefer)

var faultKinds = []struct {
	kind   faults.Kind
	signal syscall.Signal
}{
	{faults.KindAccess, syscall.SIGSEGV},
	{faults.KindBus, syscall.SIGBUS},
	{faults.KindIllegal, syscall.SIGILL},
	{faults.KindDivide, syscall.SIGFPE},
	{faults.KindTrap, syscall.SIGTRAP},
}

var hows = []faults.How{faults.HowPc, faults.HowJump, faults.HowPlainJump}

func faultsTaken(w *worker) error {
	kind, how := faultKinds[w.random.Intn(len(faultKinds))], hows[w.random.Intn(len(hows))]
	want, asked := int32(kind.signal), int32(0)
	deep(w.random.Intn(60), func() {
		asked = faults.TrapAndAsk(kind.kind, how, func(signal int32) int32 {
			runtime.Gosched()
			return signal
		})
	})
	return first(
		same("Install", installed, 0),
		same("Trap", faults.Trap(kind.kind, how), want),
		same("TrapInCode", faults.TrapInCode(kind.kind, how), want),
		same("TrapAndAsk", asked, want),
		same("KeepsRegisters", faults.KeepsRegisters(), true),
	)
}

func faultsOnThreads(w *worker) error {
	kind := faultKinds[w.random.Intn(len(faultKinds))]
	return same("TrapOnThread", faults.TrapOnThread(kind.kind, faults.HowJump, 3), 6*int32(kind.signal))
}
