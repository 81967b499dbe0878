package main

import (
	"fmt"
	"math/rand"
	"os"
	"regexp"
	"strings"
	"sync/atomic"

	"rsyso.test/programs/disturb"
)

// A job calls Rust and gives what is wrong with the answer.
type job struct {
	name string
	// How often it is drawn, beside the others.
	weight int
	do     func(w *worker) error
}

// jobs are all there are; each file adds its own. A fixture joins in by a file like those.
var jobs []job

func add(more ...job) struct{} {
	jobs = append(jobs, more...)
	return struct{}{}
}

// choose leaves out the jobs with other names.
func choose(only *regexp.Regexp) {
	chosen := jobs[:0]
	for _, job := range jobs {
		if only.MatchString(job.name) {
			chosen = append(chosen, job)
		}
	}
	jobs = chosen
}

// worker is one goroutine's share.
type worker struct {
	id     int
	random *rand.Rand
	// How often each job was done.
	done []uint64
	buf  []uint8
}

func newWorker(id int) *worker {
	return &worker{id: id, random: rand.New(rand.NewSource(int64(id))), done: make([]uint64, len(jobs)), buf: make([]uint8, 64<<10)}
}

// work draws jobs until it is told to stop.
func (w *worker) work(stop *atomic.Bool) {
	var draw []int
	for i, job := range jobs {
		for n := 0; n < job.weight; n++ {
			draw = append(draw, i)
		}
	}
	for !stop.Load() {
		pause.RLock()
		w.do(draw[w.random.Intn(len(draw))])
		pause.RUnlock()
	}
}

func (w *worker) do(i int) {
	if err := jobs[i].do(w); err != nil {
		disturb.Fail("goroutine %d: %s: %v", w.id, jobs[i].name, err)
	}
	w.done[i]++
}

// same is an error unless a call gave what it should.
func same[T comparable](call string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s gave %v, want %v", call, got, want)
	}
	return nil
}

// text is the text that a call wrote into the worker's buffer.
func (w *worker) text(n int) string {
	if n < 0 || n > len(w.buf) {
		return fmt.Sprintf("a text of %d bytes", n)
	}
	return string(w.buf[:n])
}

// panics is an error unless f panics with an error whose text begins with `want`.
func panics(call string, f func(), want string) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
			err = fmt.Errorf("%s did not panic", call)
		case error:
			if !strings.HasPrefix(r.Error(), want) {
				err = fmt.Errorf("%s panicked with %q, want %q", call, r, want)
			}
		default:
			err = fmt.Errorf("%s panicked with %v", call, r)
		}
	}()
	f()
	return nil
}

// first is the first error.
func first(errors ...error) error {
	for _, err := range errors {
		if err != nil {
			return err
		}
	}
	return nil
}

// deep grows the goroutine's stack before the call.
func deep(depth int, f func()) {
	var frame [512]byte
	if depth == 0 {
		f()
	} else {
		deep(depth-1, f)
	}
	frame[depth] = 1
}

// scratch is a directory for all workers' files.
var scratch = func() string {
	dir, err := os.MkdirTemp("", "soak")
	if err != nil {
		disturb.Fail("%v", err)
	}
	return dir
}()
