package rure

import (
	"testing"
	"unsafe"
)

func TestMatches(t *testing.T) {
	pattern := CString(`(?P<letters>\pL+)-(\d+)`)
	re := CompileMust(pattern)
	CFree(unsafe.Pointer(pattern))
	defer Free(re)
	text := []byte("-- grün-42")
	if !IsMatch(re, text, 0) || IsMatch(re, text[:5], 0) {
		t.Error("no match, or one too many")
	}
	var found RureMatch
	if !Find(re, text, 0, &found) || string(text[found.Start:found.End]) != "grün-42" {
		t.Errorf("found %+v", found)
	}
	captures := CapturesNew(re)
	defer CapturesFree(captures)
	name := CString("letters")
	which := CaptureNameIndex(re, name)
	CFree(unsafe.Pointer(name))
	if !FindCaptures(re, text, 0, captures) || !CapturesAt(captures, uint(which), &found) {
		t.Fatal("no captures")
	}
	if got := string(text[found.Start:found.End]); got != "grün" {
		t.Errorf("captured %q", got)
	}
	if FlagCasei != 1 {
		t.Errorf("the flag is %d", FlagCasei)
	}
}
