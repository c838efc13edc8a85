package scan

import (
	"bufio"
	"os"
	"strconv"
	"strings"
)

// netRaw is the number of CAP_NET_RAW (capability(7)), which raw sockets take.
const netRaw = 13

// rawSockets says whether an nmap that this process starts can open raw sockets:
// root passes on its effective capabilities, anybody else the ambient ones only.
// Where there is no /proc, root can.
func rawSockets() bool {
	root := os.Geteuid() == 0
	status, err := os.Open("/proc/self/status")
	if err != nil {
		return root
	}
	defer status.Close()
	field := "CapAmb:"
	if root {
		field = "CapEff:"
	}
	for lines := bufio.NewScanner(status); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), field); ok {
			bits, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
			return err == nil && bits&(1<<netRaw) != 0
		}
	}
	return root
}
