package rav1e

import (
	"testing"
	"unsafe"
)

const (
	width, height = 64, 48
	frames        = 5
)

func set(t *testing.T, config *Config, key string, value int32) int32 {
	t.Helper()
	name := CString(key)
	defer Free(unsafe.Pointer(name))
	return ConfigParseInt(config, name, value)
}

// Frames go in, packets of AV1 come out: threads of Rust's do the work.
func TestEncodes(t *testing.T) {
	config := ConfigDefault()
	defer ConfigUnref(config)
	for key, value := range map[string]int32{"width": width, "height": height, "speed": 10, "threads": 2} {
		if set(t, config, key, value) != 0 {
			t.Fatalf("%s is not taken", key)
		}
	}
	if set(t, config, "no_such_key", 1) == 0 {
		t.Error("a key that does not exist is taken")
	}
	context := ContextNew(config)
	if context == nil {
		t.Fatal("no encoder")
	}
	defer ContextUnref(context)
	for n := 0; n < frames; n++ {
		frame := FrameNew(context)
		for plane := int32(0); plane < 3; plane++ {
			w, h := width, height
			if plane > 0 {
				w, h = w/2, h/2
			}
			pixels := make([]byte, w*h)
			for at := range pixels {
				pixels[at] = byte(at%w*3 + at/w*2 + n*16)
			}
			FrameFillPlane(frame, plane, pixels, w, 1)
		}
		if status := SendFrame(context, frame); status != EncoderStatusSuccess {
			t.Fatal(status)
		}
		FrameUnref(frame)
	}
	SendFrame(context, nil)
	packets, size := 0, uint(0)
	for packets < frames {
		var packet *Packet
		switch status := ReceivePacket(context, &packet); status {
		case EncoderStatusSuccess:
			packets, size = packets+1, size+packet.Len
			PacketUnref(packet)
		case EncoderStatusEncoded, EncoderStatusNeedMoreData:
		default:
			t.Fatal(status)
		}
	}
	if size < 100 || size > frames*width*height {
		t.Errorf("%d packets have %d bytes", packets, size)
	}
}
