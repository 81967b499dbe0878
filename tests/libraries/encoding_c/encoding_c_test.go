package encoding_c

import (
	"testing"
	"unsafe"
)

// Big pieces and small ones, as they come from a network.
func TestDecodesPieceByPiece(t *testing.T) {
	encoding := EncodingForLabel([]byte(" Shift_JIS "))
	if encoding == nil || encoding != *ShiftJisEncoding() || encoding == *Utf8Encoding() {
		t.Fatal("the label means another encoding")
	}
	text := []byte{0x82, 0xb1, 0x82, 0xf1, 0x82, 0xc9, 0x82, 0xbf, 0x82, 0xcd, '!', 0xff}
	for piece := 1; piece <= len(text); piece++ {
		decoder := EncodingNewDecoder(encoding)
		got, replaced := "", false
		for at := 0; at < len(text); at += piece {
			part := text[at:min(at+piece, len(text))]
			room := make([]byte, DecoderMaxUTF8BufferLength(decoder, uint(len(part))))
			read, written, bad := uint(len(part)), uint(len(room)), false
			last := at+piece >= len(text)
			if DecoderDecodeToUTF8(decoder, &part[0], &read, &room[0], &written, last, &bad) != InputEmpty {
				t.Fatalf("%d of %d bytes were read", read, len(part))
			}
			got += string(room[:written])
			replaced = replaced || bad
		}
		DecoderFree(decoder)
		if got != "こんにちは!\uFFFD" || !replaced {
			t.Errorf("in pieces of %d: %q, replaced %v", piece, got, replaced)
		}
	}
}

func TestEncodesWhatIsNotThere(t *testing.T) {
	encoder := EncodingNewEncoder(*Windows1252Encoding())
	defer EncoderFree(encoder)
	text, room := "größer: €, not 字", make([]byte, 64)
	read, written, bad := uint(len(text)), uint(len(room)), false
	EncoderEncodeFromUTF8(encoder, unsafe.StringData(text), &read, &room[0], &written, true, &bad)
	if got := string(room[:written]); got != "gr\xf6\xdfer: \x80, not &#23383;" || !bad {
		t.Errorf("%q, replaced %v", got, bad)
	}
}

func TestNamesOfAllEncodings(t *testing.T) {
	for want, encoding := range map[string]*Encoding{
		"UTF-8": *Utf8Encoding(), "Big5": *Big5Encoding(), "KOI8-U": *Koi8UEncoding(),
		"x-user-defined": *XUserDefinedEncoding(), "windows-1252": *Windows1252Encoding(),
	} {
		name := make([]byte, EncodingNameMaxLength)
		if got := string(name[:EncodingName(encoding, &name[0])]); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}
