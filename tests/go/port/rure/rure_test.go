package rure

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
)

func TestMatches(t *testing.T) {
	re := MustCompile(`\pL+-\d+`)
	for text, want := range map[string]bool{"grün-42": true, "grün": false, "": false} {
		t.Run(text, func(t *testing.T) {
			if got := re.IsMatch([]byte(text)); got != want {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestFind(t *testing.T) {
	re := MustCompile(`b+`)
	if m, ok := re.Find([]byte("aabbb")); !ok || m != (Match{2, 5}) {
		t.Error(m, ok)
	}
	if _, ok := re.Find([]byte("aa")); ok {
		t.Error("a match")
	}
}

func TestFindAll(t *testing.T) {
	want := []Match{{0, 1}, {2, 4}, {7, 8}}
	if got := MustCompile(`x+`).FindAll([]byte("x xx  ax")); !reflect.DeepEqual(got, want) {
		t.Error(got)
	}
}

func TestFlags(t *testing.T) {
	re, err := Compile(`rust`, CaseInsensitive|Default)
	if err != nil || !re.IsMatch([]byte("RUST")) {
		t.Error(err)
	}
	if CaseInsensitive != 1 || Default != 32 {
		t.Error(CaseInsensitive, Default)
	}
}

func TestError(t *testing.T) {
	_, err := Compile(`(`, Default)
	if err == nil || !strings.Contains(err.Error(), "unclosed group") {
		t.Error(err)
	}
}

func TestCaptures(t *testing.T) {
	re := MustCompile(`(?P<key>\w+)=(\d+)?(?P<rest>z)?`)
	if got := re.Names(); !reflect.DeepEqual(got, []string{"", "key", "", "rest"}) {
		t.Errorf("%q", got)
	}
	groups := re.Captures([]byte(" a=12"))
	if s := fmt.Sprintf("%q", groups); s != `["a=12" "a" "12" ""]` || groups[3] != nil {
		t.Error(s)
	}
	if re.Index("rest") != 3 || re.Index("none") != -1 {
		t.Error(re.Index("rest"))
	}
}

func TestManyGoroutines(t *testing.T) {
	re := MustCompile(`\d+`)
	var wg sync.WaitGroup
	for i := 0; i < 8; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for n := 0; n < 1000; n++ {
				if m, ok := re.Find([]byte(fmt.Sprint("n", n))); !ok || m.Start != 1 {
					t.Error(m)
				}
			}
		}()
	}
	wg.Wait()
}
