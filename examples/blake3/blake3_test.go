package blake3

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"math/rand"
	"os"
	"sync"
	"testing"
)

// The official test vectors, of which testdata has a part, derive keys in this context.
const context = "BLAKE3 2019-12-27 16:29:52 test vectors context"

type vectors struct {
	Key   string
	Cases []struct {
		InputLen  int    `json:"input_len"`
		Hash      string `json:"hash"`
		KeyedHash string `json:"keyed_hash"`
		DeriveKey string `json:"derive_key"`
	}
}

// input is what the official test vectors are made of: the bytes 0 to 250, again and again.
func input(n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i % 251)
	}
	return data
}

func key(text string) *[32]byte {
	var key [32]byte
	copy(key[:], text)
	return &key
}

func TestVectors(t *testing.T) {
	file, err := os.ReadFile("testdata/test_vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(file, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Cases) < 20 {
		t.Fatalf("only %d cases", len(v.Cases))
	}
	for _, c := range v.Cases {
		data := input(c.InputLen)
		for name, got := range map[string]struct {
			digest Digest
			want   string
		}{
			"Sum256":      {Sum256(data), c.Hash},
			"KeyedSum256": {KeyedSum256(key(v.Key), data), c.KeyedHash},
			"DeriveKey":   {DeriveKey(context, data), c.DeriveKey},
		} {
			if got.digest.String() != got.want[:64] {
				t.Errorf("%s of %d bytes = %s, want %s", name, c.InputLen, got.digest, got.want[:64])
			}
		}
		hasher := NewHasher()
		out := make([]byte, len(c.Hash)/2)
		hasher.Update(data)
		hasher.Extend(0, out)
		if hex.EncodeToString(out) != c.Hash {
			t.Errorf("Extend of %d bytes = %x, want %s", c.InputLen, out, c.Hash)
		}
		hasher.Close()
	}
}

func TestHasher(t *testing.T) {
	data := input(100_000)
	hasher := NewHasherKeyed(key("a key"))
	defer hasher.Close()
	for round := 0; round < 3; round++ {
		r := rand.New(rand.NewSource(int64(round)))
		for rest := data; len(rest) > 0; {
			n := r.Intn(min(len(rest), 5000) + 1)
			if written, err := hasher.Write(rest[:n]); written != n || err != nil {
				t.Fatal(written, err)
			}
			rest = rest[n:]
		}
		want := KeyedSum256(key("a key"), data)
		if got := hasher.Digest(); got != want {
			t.Errorf("in parts %s, at once %s", got, want)
		}
		if got := hasher.Sum([]byte("x")); !bytes.Equal(got, append([]byte("x"), want.Bytes[:]...)) {
			t.Errorf("Sum = %x", got)
		}
		hasher.Reset()
	}
	part := make([]byte, 100)
	all := make([]byte, 1100)
	hasher.Extend(0, all)
	hasher.Extend(1000, part)
	if !bytes.Equal(part, all[1000:]) {
		t.Error("a part of the output is not what it is as a whole")
	}
}

func TestGoroutines(t *testing.T) {
	data := input(50_000)
	want := Sum256(data)
	var wg sync.WaitGroup
	for g := 0; g < 16; g++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := 0; i < 50; i++ {
				hasher := NewHasher()
				if _, err := io.Copy(hasher, bytes.NewReader(data)); err != nil || hasher.Digest() != want {
					t.Errorf("wrong hash (%v)", err)
				}
				hasher.Close()
			}
		}()
	}
	wg.Wait()
}
