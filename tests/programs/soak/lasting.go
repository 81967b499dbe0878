package main

import "rsyso.test/programs/lasting"

// atOnce is how many of these calls there may be at a time: most of them compute, and each takes a thread.
var atOnce = make(chan struct{}, 8)

var _ = func() struct{} {
	for _, call := range lasting.Calls {
		call := call
		add(job{"lasting-" + call.Name, 1, func(w *worker) error {
			atOnce <- struct{}{}
			defer func() { <-atOnce }()
			return call.Do(w.random.Intn(1000))
		}})
	}
	return struct{}{}
}()
