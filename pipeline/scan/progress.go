package scan

// Progress watches a scan. Its methods are called one at a time.
type Progress interface {
	// Start says how many addresses are going to be looked at.
	Start(hosts int)
	// Update says how many addresses are done, how many open ports were found on
	// them, and how much of the work is done, from 0 to 1. nmap tells of a host only
	// when its whole shard ends, so the fraction runs ahead of the hosts.
	Update(hosts, open int, fraction float64)
	// Done ends it.
	Done()
}
