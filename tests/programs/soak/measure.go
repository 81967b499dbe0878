package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"rsyso.test/data"
	"rsyso.test/overflow"
	rust "rsyso.test/panics"
	"rsyso.test/programs/disturb"
	"rsyso.test/threads"
)

// stuck is how long the workers may take to end the jobs they are at.
const stuck = 90 * time.Second

// paused lets all workers pause between two jobs, and calls f meanwhile.
func paused(f func()) {
	alarm := time.AfterFunc(stuck, func() {
		debug.SetTraceback("all")
		panic("a job does not end")
	})
	pause.Lock()
	defer pause.Unlock()
	alarm.Stop()
	f()
}

// measure looks at what is left between two jobs, and prints it. The workers pause.
func measure(i int, workers []*worker) {
	settle()
	// Twice: the first collection frees what sync.Pool has dropped, among others.
	debug.FreeOSMemory()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Printf("sample %d: rss %d KiB, go-heap %d KiB, threads %d, descriptors %d, jobs %d\n",
		i, rss(), m.HeapAlloc>>10, threadCount(), descriptors(), jobsDone(workers))
}

// jobsDone is how many jobs were done so far. The workers pause.
func jobsDone(workers []*worker) (jobs uint64) {
	for _, w := range workers {
		for _, times := range w.done {
			jobs += times
		}
	}
	return jobs
}

// settle checks what must hold while nothing runs.
func settle() {
	lives := threads.CountLives()
	checkReports()
	err := first(
		same("the guards of panics that are alive", rust.GuardsAlive(), 0),
		same("the counter", data.CounterGet()-counterBefore, counted.Load()),
		same("the thread-locals that were dropped", lives.Dropped, lives.Made),
		same("Work", overflow.Work(500), workBefore),
	)
	if err != nil {
		disturb.Fail("between two jobs: %v", err)
	}
}

// rss is the resident memory in KiB.
func rss() (kib int) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		disturb.Fail("%v", err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		disturb.Fail("VmRSS: %v", err)
	}
	return kib
}

func entries(dir string) int {
	names, err := filepath.Glob(dir + "/*")
	if err != nil || len(names) == 0 {
		disturb.Fail("%s is empty; %v", dir, err)
	}
	return len(names)
}

// threadCount is the number of the process's threads: the kernel lets a join return a moment before it forgets the thread.
func threadCount() int {
	least := entries("/proc/self/task")
	for i := 0; i < 20; i++ {
		time.Sleep(time.Millisecond)
		if n := entries("/proc/self/task"); n < least {
			least = n
		}
	}
	return least
}

func descriptors() int {
	return entries("/proc/self/fd")
}

var (
	head = regexp.MustCompile(`^thread '[^']*' \([0-9]+\) panicked at src/lib\.rs:[0-9]+:[0-9]+:$`)
	// std adds a backtrace to a panic within a panic; the runtime says in its place that there is none.
	body = regexp.MustCompile(`^(|soak of goroutine [0-9]+|kept: a Go function panicked on a thread of the Rust library: on a thread|inner|outer|note: run with .*|stack backtrace:| +left out: .*| +[0-9]+: .*| +at .*)$`)
)

// checkReports reads what panics said since the last time, and empties the file. Each panic that Rust caught has said it once, and no other has.
func checkReports() {
	if info, err := os.Stderr.Stat(); err != nil || !info.Mode().IsRegular() {
		return // Someone looks on.
	}
	if _, err := os.Stderr.Seek(0, io.SeekStart); err != nil {
		disturb.Fail("standard error: %v", err)
	}
	found := uint64(0)
	lines := bufio.NewScanner(os.Stderr)
	for lines.Scan() {
		switch line := lines.Text(); {
		case head.MatchString(line):
			found++
		case !body.MatchString(line):
			disturb.Fail("on standard error there is %q", line)
		}
	}
	if err := first(lines.Err(), os.Stderr.Truncate(0)); err != nil {
		disturb.Fail("standard error: %v", err)
	}
	if _, err := os.Stderr.Seek(0, io.SeekStart); err != nil {
		disturb.Fail("standard error: %v", err)
	}
	if want := reports.Swap(0); found != want {
		disturb.Fail("%d reports of panics were printed, want %d", found, want)
	}
}
