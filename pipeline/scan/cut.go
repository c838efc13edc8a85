package scan

import (
	"slices"
	"sync"
	"time"

	"ownmap/pipeline/state"
)

// How long a slice lasts if every probe is one packet; ports that a firewall
// drops take twice as long. nmap tells of a host only when it ends, so a slice is
// what a killed nmap loses and what haste costs; each start costs a third of a
// second.
const (
	seekingSlice = 3 * time.Second // while the rate is sought
	steadySlice  = 18 * time.Second
	mostSlices   = 64 // of a pass, however slow it is
)

// cutter cuts the ports of a pass into slices, each as long as the rate of the
// moment asks for.
type cutter struct {
	mu     sync.Mutex
	left   []uint16
	total  int
	hosts  int
	lanes  int // slices that are scanned side by side
	slices int
}

// newCutter returns a cutter that begins with the ports of first, as far as they
// are in the set.
func newCutter(set, first state.PortSet, hosts, lanes int) *cutter {
	left := slices.Collect(intersect(first, set).All())
	left = slices.AppendSeq(left, set.Without(first).All())
	return &cutter{left: left, total: len(left), hosts: hosts, lanes: lanes}
}

// next returns the next slice for a lane that scans at a rate; it is empty when
// nothing is left.
func (c *cutter) next(rate int, length time.Duration) state.PortSet {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.left) == 0 {
		return state.PortSet{}
	}
	size := max(1, int(float64(rate)*length.Seconds()/float64(max(1, c.hosts))), (c.total+mostSlices-1)/mostSlices)
	n := (len(c.left) + size - 1) / size            // slices that are left, of one size
	n += (c.lanes - (c.slices+n)%c.lanes) % c.lanes // the lanes end together
	size = min(len(c.left), (len(c.left)+n-1)/n)
	slice := state.PortsOf(c.left[:size]...)
	c.left = c.left[size:]
	c.slices++
	return slice
}

// back takes a slice that is to be scanned again: it comes next.
func (c *cutter) back(slice state.PortSet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = slices.Concat(slices.Collect(slice.All()), c.left)
}

// done returns the share of the ports that were handed out.
func (c *cutter) done() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return 1 - float64(len(c.left))/float64(max(1, c.total))
}
