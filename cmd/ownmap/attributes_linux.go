package main

import "syscall"

// workerAttributes let a worker die with the thread that started it (prctl(2),
// PR_SET_PDEATHSIG), and keep the terminal's signals from it: it is told to end.
func workerAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
