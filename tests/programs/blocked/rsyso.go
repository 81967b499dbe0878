//go:build !usecgo

package main

import "rsyso.test/blocking"

func block(ms uint64) uint64 { return blocking.SleepMs(ms) }
