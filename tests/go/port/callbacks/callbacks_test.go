package callbacks

import (
	"fmt"
	"sync"
	"testing"
)

func TestWalk(t *testing.T) {
	for _, onThread := range []bool{false, true} {
		t.Run(fmt.Sprint(onThread), func(t *testing.T) {
			var words []string
			got := Walk("  one two  three ", onThread, func(word string) int {
				words = append(words, word)
				return 0
			})
			if fmt.Sprint(got, words) != "0 [one two three]" {
				t.Error(got, words)
			}
			if got := Walk("a b c", onThread, func(word string) int { return int(word[0]) }); got != 'a' {
				t.Error(got)
			}
		})
	}
}

func TestWalkWithin(t *testing.T) {
	depth := 0
	var visit Visit
	visit = func(word string) int {
		if depth++; depth < 20 {
			return Walk("again", depth%3 == 0, visit)
		}
		return depth
	}
	if got := Walk("start", false, visit); got != 20 {
		t.Error(got)
	}
}

func TestManyGoroutines(t *testing.T) {
	var all sync.WaitGroup
	for g := 0; g < 8; g++ {
		all.Add(1)
		go func(g int) {
			defer all.Done()
			for i := 0; i < 50; i++ {
				n := 0
				Walk("1 2 3 4 5", i%10 == 9, func(string) int { n++; return 0 })
				if n != 5 {
					t.Error(g, i, n)
				}
			}
		}(g)
	}
	all.Wait()
}

func TestKinds(t *testing.T) {
	if got := AllKinds(); got != 6.5+9 {
		t.Error(got)
	}
	if got := fmt.Sprint(Kinds); got != "[-1 2 200 -4 5 true 2.5 3.25 200]" {
		t.Error(got)
	}
	if yes, no := Truth(5), Truth(0); yes != 1 || no != 10 {
		t.Error(yes, no)
	}
	x, n := Moved(1.5, 10, 3)
	if x != 4.5 || n != 7 || Told != 1 {
		t.Error(x, n, Told)
	}
}

func TestPanic(t *testing.T) {
	defer func() {
		if got := recover(); got != "from Go" {
			t.Error(got)
		}
	}()
	Walk("word", false, func(string) int { panic("from Go") })
}
