//go:build unix && !linux

package scan

import "syscall"

// attributes put nmap into a process group of its own, so that it can be killed
// with all that it started.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
