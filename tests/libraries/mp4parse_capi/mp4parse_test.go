package mp4parse_capi

import (
	"bytes"
	"encoding/binary"
	"io"
	"runtime"
	"sync"
	"testing"
	"testing/iotest"
	"unsafe"
)

// Numbers are written as big-endian, texts as they are (ISO/IEC 14496-12, 4.2).
func box(kind string, parts ...interface{}) []byte {
	var b bytes.Buffer
	b.WriteString("\x00\x00\x00\x00" + kind)
	for _, part := range parts {
		switch part := part.(type) {
		case string:
			b.WriteString(part)
		case []byte:
			b.Write(part)
		default:
			if err := binary.Write(&b, binary.BigEndian, part); err != nil {
				panic(err)
			}
		}
	}
	binary.BigEndian.PutUint32(b.Bytes(), uint32(b.Len()))
	return b.Bytes()
}

type numbers = []uint32

func zeros(n int) []byte { return make([]byte, n) }

// A track of samples of these sizes, one after the other from `at` on, three to a chunk.
func track(id uint32, handler string, width, height, scale uint32, entry []byte, at uint32, sizes ...uint32) []byte {
	var chunks numbers
	total := uint32(0)
	for n, size := range sizes {
		if n%3 == 0 {
			chunks = append(chunks, at+total)
		}
		total += size
	}
	count := uint32(len(sizes))
	return box("trak",
		box("tkhd", numbers{7, 0, 0, id, 0, count * 10}, zeros(16), numbers{0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000}, width<<16, height<<16),
		box("mdia",
			box("mdhd", numbers{0, 0, 0, scale, count * 10, 0}),
			box("hdlr", numbers{0, 0}, handler, zeros(13)),
			box("minf", box("stbl",
				box("stsd", numbers{0, 1}, entry),
				box("stts", numbers{0, 1, count, 10}),
				box("stsc", numbers{0, 1, 1, 3, 1}),
				box("stsz", numbers{0, 0, count}, sizes),
				box("stco", numbers{0, uint32(len(chunks))}, chunks)))))
}

var avcc = []byte{1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 4, 0x67, 0x64, 0, 0x1f, 1, 0, 2, 0x68, 0xee}

var (
	videoSizes = numbers{1000, 20, 30, 40, 50, 60}
	audioSizes = numbers{7, 8, 9}
)

const videoBytes = 1200

// A film of a picture track and a sound track.
func film() []byte {
	ftyp := box("ftyp", "isom", uint32(512), "isomiso2avc1mp41")
	moov := func(at uint32) []byte {
		avc1 := box("avc1", zeros(6), uint16(1), zeros(16), uint16(640), uint16(360), zeros(14), zeros(32), uint16(24), uint16(0xffff), box("avcC", avcc))
		opus := box("Opus", zeros(6), uint16(1), zeros(8), uint16(2), uint16(16), zeros(4), uint32(48000)<<16,
			box("dOps", uint8(0), uint8(2), uint16(312), uint32(44100), int16(-3), uint8(0)))
		return box("moov",
			box("mvhd", numbers{0, 0, 0, 1000, 50}, zeros(80)),
			track(1, "vide", 640, 360, 1000, avc1, at, videoSizes...),
			track(2, "soun", 0, 0, 48000, opus, at+videoBytes, audioSizes...))
	}
	at := uint32(len(ftyp)+len(moov(0))) + 8
	return bytes.Join([][]byte{ftyp, moov(at), box("mdat", zeros(videoBytes+24))}, nil)
}

// One function reads for all parsers: the user data is the reader.
func read(buffer *uint8, size uint, reader unsafe.Pointer) int {
	n, err := (*(*io.Reader)(reader)).Read(unsafe.Slice(buffer, size))
	runtime.Gosched()
	if err != nil && err != io.EOF {
		return -1
	}
	return n
}

func parse(t *testing.T, film io.Reader) (*Mp4parseParser, Status) {
	function := NewMp4parseIoReadFunc(read)
	defer function.Release()
	var parser *Mp4parseParser
	status := Mp4parseNew(&Mp4parseIo{Read: function, Userdata: unsafe.Pointer(&film)}, &parser)
	if parser != nil {
		t.Cleanup(func() { Mp4parseFree(parser) })
	}
	return parser, status
}

func content(data Mp4parseByteData) []byte { return unsafe.Slice(data.Data, data.Length) }

// Every sample is where it was laid.
func samples(t *testing.T, parser *Mp4parseParser, track, at uint32, sizes numbers) {
	var table Mp4parseByteData
	if s := Mp4parseGetIndiceTable(parser, track, &table); s != StatusOk {
		t.Fatal(s)
	}
	indices := unsafe.Slice(table.Indices, table.Length)
	if len(indices) != len(sizes) {
		t.Fatalf("%d samples", len(indices))
	}
	for n, index := range indices {
		from, to := uint64(at), uint64(at+sizes[n])
		if index.StartOffset.F0 != from || index.EndOffset.F0 != to || index.StartDecode.F0 != int64(n)*10 {
			t.Errorf("sample %d: %+v, not at %d", n, index, from)
		}
		at += sizes[n]
	}
}

func check(t *testing.T, film []byte, reader io.Reader) {
	parser, status := parse(t, reader)
	if status != StatusOk {
		t.Fatal(status)
	}
	var count uint32
	if s := Mp4parseGetTrackCount(parser, &count); s != StatusOk || count != 2 {
		t.Fatalf("%d tracks: %v", count, s)
	}
	var track Mp4parseTrackInfo
	if s := Mp4parseGetTrackInfo(parser, 1, &track); s != StatusOk || track.TrackType != Mp4parseTrackTypeAudio || track.TrackID != 2 || track.TimeScale != 48000 {
		t.Errorf("%+v: %v", track, s)
	}
	var video Mp4parseTrackVideoInfo
	if s := Mp4parseGetTrackVideoInfo(parser, 0, &video); s != StatusOk || video.SampleInfoCount != 1 {
		t.Fatalf("%+v: %v", video, s)
	}
	if v := video.SampleInfo; v.CodecType != Mp4parseCodecAvc || v.ImageWidth != 640 || v.ImageHeight != 360 || !bytes.Equal(content(v.ExtraData), avcc) {
		t.Errorf("%+v", v)
	}
	if _, scrambled := video.SampleInfo.ProtectedData.OriginalFormat.AsSome(); scrambled {
		t.Error("the film is not encrypted")
	}
	var audio Mp4parseTrackAudioInfo
	if s := Mp4parseGetTrackAudioInfo(parser, 1, &audio); s != StatusOk || audio.SampleInfoCount != 1 {
		t.Fatalf("%+v: %v", audio, s)
	}
	// RFC 7845, 5.1: little-endian, where the box is big-endian.
	head := "OpusHead\x01\x02\x38\x01\x44\xac\x00\x00\xfd\xff\x00"
	if a := audio.SampleInfo; a.CodecType != Mp4parseCodecOpus || a.Channels != 2 || string(content(a.CodecSpecificConfig)) != head {
		t.Errorf("%+v: %q", a, content(a.CodecSpecificConfig))
	}
	at := uint32(len(film) - videoBytes - 24)
	samples(t, parser, 1, at, videoSizes)
	samples(t, parser, 2, at+videoBytes, audioSizes)
	if s := Mp4parseGetTrackInfo(parser, 2, &track); s != StatusBadArg {
		t.Errorf("a third track: %v", s)
	}
}

// Whether Go gives all that is asked for, half of it, or a byte.
func TestTracksAndSamples(t *testing.T) {
	film := film()
	check(t, film, bytes.NewReader(film))
	check(t, film, iotest.HalfReader(bytes.NewReader(film)))
	check(t, film, iotest.OneByteReader(bytes.NewReader(film)))
}

func TestManyAtOnce(t *testing.T) {
	film := film()
	var wait sync.WaitGroup
	for n := 0; n < 16; n++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			check(t, film, iotest.HalfReader(bytes.NewReader(film)))
		}()
	}
	wait.Wait()
}

func TestWhatCannotBeReadIsAnError(t *testing.T) {
	film := film()
	if _, s := parse(t, io.MultiReader(bytes.NewReader(film[:200]), iotest.ErrReader(io.ErrClosedPipe))); s != StatusIo {
		t.Errorf("Go's reader fails: %v", s)
	}
	if _, s := parse(t, bytes.NewReader(film[:200])); s == StatusOk {
		t.Error("a film that ends too early is taken")
	}
	// A box that is smaller than its own head.
	copy(film[bytes.Index(film, []byte("mvhd"))-4:], "\x00\x00\x00\x05")
	if _, s := parse(t, bytes.NewReader(film)); s != StatusBoxBadSize {
		t.Errorf("a damaged box: %v", s)
	}
}

// A panic of the Go function goes through the parser and comes out where the parser was called.
func TestPanic(t *testing.T) {
	defer func() {
		if p := recover(); p != "no more" {
			t.Errorf("%v", p)
		}
	}()
	function := NewMp4parseIoReadFunc(func(*uint8, uint, unsafe.Pointer) int { panic("no more") })
	defer function.Release()
	var parser *Mp4parseParser
	some := 0
	Mp4parseNew(&Mp4parseIo{Read: function, Userdata: unsafe.Pointer(&some)}, &parser)
}
