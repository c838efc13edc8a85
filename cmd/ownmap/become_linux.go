package main

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// ownerOf returns the user whose a directory is; not ok: there is none.
func ownerOf(dir string) (uid int, ok bool) {
	info, err := os.Stat(dir)
	if err != nil {
		return 0, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return int(stat.Uid), ok
}

// mayGiveRawSockets says whether this process may hand on CAP_NET_RAW (capabilities(7)).
func mayGiveRawSockets() bool {
	may, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, unix.CAP_NET_RAW, 0, 0, 0)
	return err == nil && may == 1
}
