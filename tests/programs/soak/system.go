package main

import (
	"bytes"
	"fmt"
	stdio "io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"rsyso.test/io"
	"rsyso.test/programs/disturb"
)

var _ = add(
	job{"files", 12, files},
	job{"pipes", 8, pipes},
	job{"unix-sockets", 4, unixSockets},
	job{"tcp", 1, tcp},
	job{"tokio", 1, tokio},
	job{"children", 1, children},
	job{"clocks", 20, clocks},
)

// noise makes bytes, up to so many.
func (w *worker) noise(most int) []byte {
	data := make([]byte, w.random.Intn(most))
	w.random.Read(data)
	return data
}

// ok is an error unless a call gave 0, or the number of the wanted error.
func ok(call string, number int32, want syscall.Errno) error {
	return same(call, syscall.Errno(number), want)
}

func files(w *worker) error {
	path := filepath.Join(scratch, fmt.Sprintf("worker%d", w.id))
	lines, data := path+".lines", w.noise(20_000)
	sum := int64(0)
	for _, b := range data {
		sum += int64(b)
	}
	err := first(
		ok("WriteFile", io.WriteFile(path, data), 0),
		same("ReadFile", w.text(io.ReadFile(path, w.buf)), string(data)),
		ok("WriteLines", io.WriteLines(lines, 300), 0),
		same("SumLines", io.SumLines(lines), 300*299/2),
		ok("SumLines", int32(-io.SumLines(path+"?")), syscall.ENOENT),
	)
	if err != nil {
		return err
	}
	if len(data) > 0 {
		err = same("MapSum", io.MapSum(path), sum)
	}
	if back, e := os.ReadFile(path); e != nil || !bytes.Equal(back, data) {
		return fmt.Errorf("the file is not what was written; %v", e)
	}
	return first(err,
		ok("DoTo", io.DoTo(io.ChangeRemoveFile, path), 0),
		ok("DoTo", io.DoTo(io.ChangeRemoveFile, lines), 0),
		ok("DoTo, again", io.DoTo(io.ChangeRemoveFile, lines), syscall.ENOENT),
	)
}

// forking keeps children from being started while a job counts on the closing of its descriptors: until a child has run exec(2), it has
// copies of them, and so a pipe still has a reader. That is so in every program with threads.
var forking sync.RWMutex

func pipes(w *worker) error {
	forking.RLock()
	defer forking.RUnlock()
	n, sum := uint(w.random.Intn(100_000)), int64(0)
	for i := uint(0); i < n; i++ {
		sum += int64(i % 251)
	}
	return first(
		same("PipeSum", io.PipeSum(n), sum),
		ok("BrokenPipe", io.BrokenPipe(), syscall.EPIPE),
		ok("UnixPair", io.UnixPair([]byte("soak")), syscall.EPIPE),
	)
}

var servers = map[string]string{}

// listen starts servers that turn over all bits that they are sent.
func listen() {
	for network, address := range map[string]string{"tcp": "127.0.0.1:0", "unix": filepath.Join(scratch, "server")} {
		listener, err := net.Listen(network, address)
		if err != nil {
			disturb.Fail("%v", err)
		}
		servers[network] = listener.Addr().String()
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					disturb.Fail("%v", err)
				}
				go answer(conn)
			}
		}()
	}
}

func answer(conn net.Conn) {
	defer conn.Close()
	data, err := stdio.ReadAll(conn)
	if err == nil {
		_, err = conn.Write(turned(data))
	}
	if err != nil {
		disturb.Fail("the server: %v", err)
	}
}

func turned(data []byte) []byte {
	result := make([]byte, len(data))
	for i, b := range data {
		result[i] = ^b
	}
	return result
}

// ended waits for a task of Rust's while Go goes on, and gives its result.
func (w *worker) ended(task *io.Task) string {
	for !io.TaskDone(task) {
		time.Sleep(time.Millisecond)
	}
	return w.text(io.TaskEnd(task, w.buf))
}

func unixSockets(w *worker) error {
	data := w.noise(20_000)
	return same("UnixClient", w.ended(io.UnixClient(servers["unix"], data)), string(turned(data)))
}

func tcp(w *worker) error {
	data := w.noise(20_000)
	return same("TCPClient", w.ended(io.TCPClient(servers["tcp"], data)), string(turned(data)))
}

func tokio(w *worker) error {
	workers := uint(w.random.Intn(3))
	return first(
		same("AsyncTimers", io.AsyncTimers(workers, 3, 1), 3),
		ok("AsyncMix", io.AsyncMix(workers), 0),
	)
}

func children(w *worker) error {
	forking.Lock()
	defer forking.Unlock()
	got := io.RunIntoPipe("/bin/echo\nsoak", w.buf)
	return first(
		ok("RunIntoPipe", got.Error, 0),
		same("RunIntoPipe", got.Code, 0),
		same("RunIntoPipe", w.text(int(got.Output)), "soak\n"),
	)
}

func clocks(w *worker) error {
	before, moment := time.Now(), io.MomentNow()
	now, after := io.Now(), time.Now()
	took := time.Duration(io.MomentElapsed(moment))
	if now < before.UnixNano() || now > after.UnixNano() || took < 0 || took > time.Since(before) {
		return fmt.Errorf("Now gave %d between %d and %d; MomentElapsed %v", now, before.UnixNano(), after.UnixNano(), took)
	}
	return nil
}
