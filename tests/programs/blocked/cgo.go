//go:build usecgo

package main

/*
#include <unistd.h>
static unsigned long long block(unsigned long long ms) { usleep(ms * 1000); return ms; }
*/
import "C"

func block(ms uint64) uint64 { return uint64(C.block(C.ulonglong(ms))) }
