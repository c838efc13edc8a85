package scan

import "syscall"

// attributes put nmap into a process group of its own, so that it can be killed
// with all that it started, and bind it to the thread that starts it: when that
// ends, even by kill -9, the kernel kills nmap (prctl(2), PR_SET_PDEATHSIG). An
// nmap with file capabilities or set-user-ID escapes that: give the capability
// to OwnMap as an ambient one instead.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
