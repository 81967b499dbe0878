package z_rs

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"hash/adler32"
	"hash/crc32"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
	"unsafe"
)

// The constants of zlib.h.
const (
	noFlush, finish                    = 0, 4
	ok, streamEnd, dataError, memError = 0, 1, -3, -4
	deflated, gzipWindow               = 8, 15 + 16
	defaultLevel                       = 6
)

func text(n int) []byte {
	random := rand.New(rand.NewSource(int64(n)))
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, "%d bottles of %x, ", random.Intn(100), random.Intn(16))
	}
	return b.Bytes()[:n]
}

func TestChecksums(t *testing.T) {
	for _, n := range []int{0, 1, 15, 64, 1000, 100000} {
		all := text(n)
		head, tail := all[:n/3], all[n/3:]
		if got, want := Crc32(0, all), crc32.ChecksumIEEE(all); got != uint64(want) {
			t.Errorf("crc32 of %d bytes: %x, not %x", n, got, want)
		}
		if got, want := Adler32(1, all), adler32.Checksum(all); got != uint64(want) {
			t.Errorf("adler32 of %d bytes: %x, not %x", n, got, want)
		}
		// These two of the library have equal code, and one description in the debug information.
		for _, combine := range []func(uint64, uint64, int64) uint64{Crc32Combine, Crc32Combine64} {
			if got := combine(Crc32(0, head), Crc32(0, tail), int64(len(tail))); got != Crc32(0, all) {
				t.Errorf("crc32 of two parts of %d bytes: %x", n, got)
			}
		}
	}
	if table := GetCrcTable(); *table != [256]uint32(*crc32.IEEETable) {
		t.Error("another table")
	}
}

func TestOneCallThere(t *testing.T) {
	for _, n := range []int{1, 100, 300000} {
		all := text(n)
		packed := make([]byte, CompressBound(uint64(n)))
		size := uint64(len(packed))
		if code := Compress(&packed[0], &size, &all[0], uint64(n)); code != ok {
			t.Fatal(code)
		}
		reader, err := zlib.NewReader(bytes.NewReader(packed[:size]))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(reader); err != nil || !bytes.Equal(got, all) {
			t.Errorf("Go reads something else: %v", err)
		}
	}
}

func TestOneCallBack(t *testing.T) {
	all := text(200000)
	var packed bytes.Buffer
	writer := zlib.NewWriter(&packed)
	writer.Write(all)
	writer.Close()
	got, size := make([]byte, len(all)), uint64(len(all))
	if code := Uncompress(&got[0], &size, &packed.Bytes()[0], uint64(packed.Len())); code != ok || size != uint64(len(all)) || !bytes.Equal(got, all) {
		t.Errorf("code %d, %d bytes", code, size)
	}
	packed.Bytes()[packed.Len()-1] ^= 1
	if code := Uncompress(&got[0], &size, &packed.Bytes()[0], uint64(packed.Len())); code != dataError {
		t.Errorf("a wrong checksum: %d", code)
	}
	if words := GoString(ZError(dataError)); words != "data error" {
		t.Errorf("%q", words)
	}
}

// A stream, whose blocks of memory a pair of Go functions gives and takes.
type stream struct {
	ZStream
	mu     sync.Mutex
	blocks map[unsafe.Pointer]bool
}

func newStream(t *testing.T) *stream {
	s := &stream{blocks: map[unsafe.Pointer]bool{}}
	s.Zalloc = NewZStreamZallocFunc(func(_ unsafe.Pointer, items, size uint32) unsafe.Pointer {
		s.mu.Lock()
		defer s.mu.Unlock()
		block := Malloc(uint(items) * uint(size))
		s.blocks[block] = true
		return block
	})
	s.Zfree = NewZStreamZfreeFunc(func(_, block unsafe.Pointer) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.blocks[block] {
			t.Errorf("%v is nobody's", block)
		}
		delete(s.blocks, block)
		Free(block)
	})
	return s
}

func (s *stream) release(t *testing.T) {
	s.Zalloc.Release()
	s.Zfree.Release()
	if len(s.blocks) > 0 {
		t.Errorf("%d blocks are left", len(s.blocks))
	}
}

var version, structSize = ZlibVersion(), int32(unsafe.Sizeof(ZStream{}))

// Runs a stream with pieces of input and output of these sizes.
func (s *stream) run(step func(*ZStream, int32) int32, in []byte, give, take int) (out []byte, code int32) {
	room := make([]byte, take)
	for code == ok {
		piece, flush := in, int32(finish)
		if len(in) > give {
			piece, flush = in[:give], noFlush
		}
		s.NextIn, s.AvailIn = unsafe.SliceData(piece), uint32(len(piece))
		s.NextOut, s.AvailOut = &room[0], uint32(take)
		code = step(&s.ZStream, flush)
		in = in[len(piece)-int(s.AvailIn):]
		out = append(out, room[:take-int(s.AvailOut)]...)
		// Z_BUF_ERROR: it goes on with more room.
		if code == -5 && s.AvailOut == 0 {
			code = ok
		}
		runtime.Gosched()
	}
	return out, code
}

func roundTrip(t *testing.T, n, give, take int) {
	all := text(n)
	packer := newStream(t)
	if code := DeflateInit2(&packer.ZStream, defaultLevel, deflated, gzipWindow, 8, 0, version, structSize); code != ok {
		t.Fatal(code)
	}
	if len(packer.blocks) == 0 {
		t.Error("the Go function was not asked for memory")
	}
	packed, code := packer.run(Deflate, all, give, take)
	if code != streamEnd || DeflateEnd(&packer.ZStream) != ok {
		t.Fatal(code)
	}
	packer.release(t)
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(reader); err != nil || !bytes.Equal(got, all) {
		t.Errorf("Go reads something else: %v", err)
	}
	unpacker := newStream(t)
	if code := InflateInit2(&unpacker.ZStream, gzipWindow, version, structSize); code != ok {
		t.Fatal(code)
	}
	got, code := unpacker.run(Inflate, packed, give, take)
	if code != streamEnd || !bytes.Equal(got, all) || InflateEnd(&unpacker.ZStream) != ok {
		t.Errorf("code %d, %d bytes", code, len(got))
	}
	unpacker.release(t)
}

func TestStreams(t *testing.T) {
	roundTrip(t, 5000, 1, 1)
	roundTrip(t, 300000, 7001, 1013)
	var wait sync.WaitGroup
	for n := 0; n < 16; n++ {
		wait.Add(1)
		go func(n int) {
			defer wait.Done()
			roundTrip(t, 20000+n, 100+n, 200)
		}(n)
	}
	wait.Wait()
}

func TestNoMemory(t *testing.T) {
	s := &ZStream{}
	s.Zalloc = NewZStreamZallocFunc(func(unsafe.Pointer, uint32, uint32) unsafe.Pointer { return nil })
	defer s.Zalloc.Release()
	s.Zfree = NewZStreamZfreeFunc(func(unsafe.Pointer, unsafe.Pointer) {})
	defer s.Zfree.Release()
	if code := InflateInit(s, version, structSize); code != memError {
		t.Errorf("%d", code)
	}
}

// What Go's writer says of the file comes out.
func TestHeader(t *testing.T) {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	writer.Name, writer.Comment, writer.ModTime = "words.txt", "none", time.Unix(1e9, 0)
	writer.Close()
	s, name := newStream(t), make([]byte, 20)
	InflateInit2(&s.ZStream, gzipWindow, version, structSize)
	head := &GzHeader{Name: &name[0], NameMax: 20}
	if code := InflateGetHeader(&s.ZStream, head); code != ok {
		t.Fatal(code)
	}
	if _, code := s.run(Inflate, packed.Bytes(), 3, 100); code != streamEnd {
		t.Fatal(code)
	}
	InflateEnd(&s.ZStream)
	s.release(t)
	if head.Done != 1 || head.Time != 1e9 || string(bytes.TrimRight(name, "\x00")) != "words.txt" {
		t.Errorf("%+v, %q", head, name)
	}
}

// The library fetches and hands on by Go functions.
func TestInflateBack(t *testing.T) {
	all := text(100000)
	var packed bytes.Buffer
	writer, _ := flate.NewWriter(&packed, 9)
	writer.Write(all)
	writer.Close()
	window := Malloc(1 << 15)
	defer Free(window)
	var got bytes.Buffer
	inflate := func(limit int) int32 {
		var s ZStream
		if code := InflateBackInit(&s, 15, (*uint8)(window), version, structSize); code != ok {
			t.Fatal(code)
		}
		defer InflateBackEnd(&s)
		got.Reset()
		left := packed.Bytes()
		return InflateBack(&s, func(piece **uint8) uint32 {
			n := len(left)
			if n > 1000 {
				n = 1000
			}
			*piece = unsafe.SliceData(left)
			left = left[n:]
			return uint32(n)
		}, func(piece *uint8, n uint32) int32 {
			got.Write(unsafe.Slice(piece, n))
			if got.Len() > limit {
				return 1
			}
			return 0
		})
	}
	if code := inflate(1 << 30); code != streamEnd || !bytes.Equal(got.Bytes(), all) {
		t.Errorf("code %d, %d bytes", code, got.Len())
	}
	if code := inflate(50000); code != -5 || !bytes.Equal(got.Bytes(), all[:got.Len()]) {
		t.Errorf("Go wants no more: code %d, %d bytes", code, got.Len())
	}
}

func TestFiles(t *testing.T) {
	name, all := filepath.Join(t.TempDir(), "words.gz"), text(50000)
	path := CString(name)
	defer Free(unsafe.Pointer(path))
	open := func(mode string) *GzFileS {
		how := CString(mode)
		defer Free(unsafe.Pointer(how))
		file := Gzopen(path, how)
		if file == nil {
			t.Fatalf("no file, mode %s", mode)
		}
		return file
	}
	file := open("wb9")
	for left := all; len(left) > 0; left = left[1000:] {
		if n := Gzwrite(file, unsafe.Pointer(&left[0]), 1000); n != 1000 {
			t.Fatalf("%d bytes are written", n)
		}
	}
	if code := Gzclose(file); code != ok {
		t.Fatal(code)
	}
	packed, err := os.ReadFile(name)
	if err != nil || len(packed) > len(all)/2 {
		t.Fatalf("%d bytes, %v", len(packed), err)
	}
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(reader); err != nil || !bytes.Equal(got, all) {
		t.Errorf("Go reads something else: %v", err)
	}
	file = open("rb")
	defer Gzclose(file)
	line := make([]int8, 100)
	if Gzseek(file, 20000, 0) != 20000 || Gztell(file) != 20000 || Gzgets(file, line) == nil {
		t.Fatal("the file cannot be read")
	}
	if got := GoString(&line[0]); got != string(all[20000:20099]) {
		t.Errorf("%q", got)
	}
}
