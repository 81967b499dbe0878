//go:build usecgo

package main

/*
#include <stdint.h>
#include <unistd.h>
static void wait_for(volatile uint32_t *state) { state[0] = 1; while (state[1] == 0) {} }
static int read_byte(int fd) { unsigned char b; return read(fd, &b, 1) == 1 ? b : -1; }
static unsigned long long nap(unsigned long long ms) { usleep(ms * 1000); return ms; }
*/
import "C"

import "unsafe"

func wait(state *uint32)      { C.wait_for((*C.uint32_t)(unsafe.Pointer(state))) }
func readByte(fd int32) int32 { return int32(C.read_byte(C.int(fd))) }
func nap(ms uint64) uint64    { return uint64(C.nap(C.ulonglong(ms))) }
func beside(int)              {}
