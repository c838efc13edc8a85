//go:build unix && !linux

package main

import "syscall"

// workerAttributes keep the terminal's signals from a worker: it is told to end.
func workerAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
