package yrs

import (
	"testing"
	"unsafe"
)

// Text of C's that Go takes over.
func took(t *testing.T, text *int8) string {
	t.Helper()
	if text == nil {
		t.Fatal("no text")
	}
	defer YstringDestroy(text)
	return GoString(text)
}

func c(t *testing.T, text string) *int8 {
	p := CString(text)
	t.Cleanup(func() { Free(unsafe.Pointer(p)) })
	return p
}

// What one document has and the other, whose state is known, does not.
func missing(doc *Doc, state []byte) []byte {
	txn := YdocReadTransaction(doc)
	defer YtransactionCommit(txn)
	var size uint32
	update := YtransactionStateDiffV1(txn, string(state), &size)
	defer YbinaryDestroy(unsafe.Slice(update, size))
	return append([]byte(nil), unsafe.Slice((*byte)(unsafe.Pointer(update)), size)...)
}

func state(doc *Doc) []byte {
	txn := YdocReadTransaction(doc)
	defer YtransactionCommit(txn)
	var size uint32
	vector := YtransactionStateVectorV1(txn, &size)
	defer YbinaryDestroy(unsafe.Slice(vector, size))
	return append([]byte(nil), unsafe.Slice((*byte)(unsafe.Pointer(vector)), size)...)
}

func text(t *testing.T, doc *Doc, name string) string {
	shared := Ytext(doc, c(t, name))
	txn := YdocReadTransaction(doc)
	defer YtransactionCommit(txn)
	return took(t, YtextString(shared, txn))
}

// Two writers at once; both documents end up the same.
func TestTwoDocumentsMerge(t *testing.T) {
	one, two := YdocNew(), YdocNew()
	defer YdocDestroy(one)
	defer YdocDestroy(two)
	write := func(doc *Doc, at uint32, words string) {
		shared := Ytext(doc, c(t, "page"))
		txn := YdocWriteTransaction(doc, 0, nil)
		YtextInsert(shared, txn, at, c(t, words), nil)
		YtransactionCommit(txn)
	}
	send := func(from, to *Doc) {
		update := missing(from, state(to))
		txn := YdocWriteTransaction(to, 0, nil)
		if code := YtransactionApply(txn, string(update)); code != 0 {
			t.Fatalf("the update is not taken: %d", code)
		}
		YtransactionCommit(txn)
	}
	write(one, 0, "from Rust")
	send(one, two)
	write(one, 0, "straight ")
	write(two, 9, " to Go")
	send(one, two)
	send(two, one)
	for _, doc := range []*Doc{one, two} {
		if got := text(t, doc, "page"); got != "straight from Rust to Go" {
			t.Errorf("%q", got)
		}
	}
}

// Observers are kept by the library, which takes their state in front of the function pointer. One hears of changes to a text, the other has another
// document follow them.
func TestObservers(t *testing.T) {
	one, two := YdocNew(), YdocNew()
	defer YdocDestroy(one)
	defer YdocDestroy(two)
	shared, key := Ytext(one, c(t, "page")), c(t, "me")
	write := func(words string) {
		txn := YdocWriteTransaction(one, 0, nil)
		YtextInsert(shared, txn, 0, c(t, words), nil)
		YtransactionCommit(txn)
	}

	changes := 0
	heard := NewYtextObserveFunc(func(event *YTextEvent) {
		if event == nil {
			t.Error("no event")
		}
		changes++
	})
	YtextObserve(shared, 2, key, heard)
	follow := NewYtransactionObserveUpdatesV1Func(func(size uint32, update *int8) {
		txn := YdocWriteTransaction(two, 0, nil)
		words := string(unsafe.Slice((*byte)(unsafe.Pointer(update)), size))
		if code := YtransactionApply(txn, words); code != 0 {
			t.Errorf("the update is not taken: %d", code)
		}
		YtransactionCommit(txn)
	})
	txn := YdocWriteTransaction(one, 0, nil)
	YtransactionObserveUpdatesV1(txn, 2, key, follow)
	YtransactionCommit(txn)

	write("observed")
	write("twice ")
	if gone := Yunobserve(shared, 2, key); gone != 1 {
		t.Errorf("%d observers are gone", gone)
	}
	heard.Release()
	write("once more ")
	if got := text(t, two, "page"); changes != 2 || got != "once more twice observed" {
		t.Errorf("%d changes were heard; the other document has %q", changes, got)
	}
	txn = YdocWriteTransaction(one, 0, nil)
	if gone := YtransactionUnobserveUpdatesV1(txn, 2, key); gone != 1 {
		t.Errorf("%d observers are gone", gone)
	}
	YtransactionCommit(txn)
	follow.Release()
	write("alone ")
	if got := text(t, two, "page"); got != "once more twice observed" {
		t.Errorf("it still follows: %q", got)
	}
}

// Values of all kinds by value, in and out: a struct with a union.
func TestMap(t *testing.T) {
	doc := YdocNew()
	defer YdocDestroy(doc)
	shared := Ymap(doc, c(t, "map"))
	txn := YdocWriteTransaction(doc, 0, nil)
	defer YtransactionCommit(txn)
	for name, value := range map[string]YInput{
		"long": YinputLong(-1 << 40), "float": YinputFloat(2.5), "text": YinputString(c(t, "größer")),
	} {
		YmapInsert(shared, txn, c(t, name), &value)
	}
	if n := YmapLen(shared, txn); n != 3 {
		t.Errorf("%d entries", n)
	}
	get := func(name string, read func(value *YOutput) bool) {
		value := YmapGet(shared, txn, c(t, name))
		if value == nil || !read(value) {
			t.Errorf("%s is another", name)
		}
		YoutputDestroy(value)
	}
	get("long", func(v *YOutput) bool { return *YoutputReadLong(v) == -1<<40 })
	get("float", func(v *YOutput) bool { return *YoutputReadFloat(v) == 2.5 })
	get("text", func(v *YOutput) bool { return GoString(YoutputReadString(v)) == "größer" })
}

// yffi unwraps the pointers that it is given.
func TestNullIsAPanic(t *testing.T) {
	defer func() {
		if p, ok := recover().(*Panic); !ok || p.File != "src/lib.rs" {
			t.Errorf("%v", p)
		}
	}()
	YoutputReadLong(nil)
}
