package blake3

import (
	"encoding/hex"
	"hash"
)

//go:generate rsyso build --locked

// The sizes of a hash and of a block, in bytes.
const (
	Size      = 32
	BlockSize = 64
)

var _ hash.Hash = (*Hasher)(nil)

// Write adds data. It takes all of it and never fails.
func (h *Hasher) Write(data []byte) (int, error) {
	h.Update(data)
	return len(data), nil
}

// Sum appends the hash of all data so far to b.
func (h *Hasher) Sum(b []byte) []byte {
	digest := h.Digest()
	return append(b, digest.Bytes[:]...)
}

// Size is the length of a hash, 32.
func (h *Hasher) Size() int { return Size }

// BlockSize is the length of the parts that are hashed at once, 64.
func (h *Hasher) BlockSize() int { return BlockSize }

// String gives the hash in hexadecimal.
func (d Digest) String() string { return hex.EncodeToString(d.Bytes[:]) }
