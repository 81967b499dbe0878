package results

import "testing"

func TestResults(t *testing.T) {
	if got := string(Doubled([]byte("ab"))); got != "abab" {
		t.Errorf("Doubled = %q", got)
	}
	if got := Points(3); len(got) != 3 || got[2].X != 2 || got[2].Tag != 2 {
		t.Errorf("Points = %v", got)
	}
	if got := Stars(3); got != "***" {
		t.Errorf("Stars = %q", got)
	}
	if got, err := Half(6); got != 3 || err != nil {
		t.Errorf("Half = %d, %v", got, err)
	}
	if _, err := Half(7); err == nil || err.(*Error).Message != "odd" {
		t.Errorf("Half: %v", err)
	}
	if got, err := Text([]byte("größe")); got != "größe" || err != nil {
		t.Errorf("Text = %q, %v", got, err)
	}
	if _, err := Text([]byte{0xff}); err == nil {
		t.Error("Text took what is no text")
	}
	if got, err := Bytes(2); string(got) != "\a\a" || err != nil {
		t.Errorf("Bytes = %v, %v", got, err)
	}
	if got, err := Squares(4); len(got) != 4 || got[3] != 9 || err != nil {
		t.Errorf("Squares = %v, %v", got, err)
	}
	if got, err := Single(7); got.X != 0.5 || got.Tag != 7 || err != nil {
		t.Errorf("Single = %v, %v", got, err)
	}
	if Check(1) != nil || Check(10) == nil {
		t.Error("Check")
	}
}
