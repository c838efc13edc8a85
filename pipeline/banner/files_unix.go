//go:build unix

package banner

import (
	"math"
	"syscall"
)

// openFiles is how many files this process may have open (getrlimit(2)); 0 when
// nobody says.
func openFiles() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return int(min(uint64(limit.Cur), math.MaxInt32)) //nolint:unconvert // signed on some systems
}
