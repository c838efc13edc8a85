package scan

import "ownmap/pipeline/state"

// hastyPorts returns the TCP ports that nmap asks before all others however it
// shuffles them, since they are open most often (the list is in its source,
// nmap.cc; --packet-trace shows them). A scan that goes deaf while it runs finds
// these.
func hastyPorts() state.PortSet {
	return state.PortsOf(21, 22, 23, 25, 53, 80, 110, 111, 113, 135, 139, 143, 199, 256, 443, 445, 554, 587, 993, 995,
		1025, 1720, 1723, 3306, 3389, 5900, 8080, 8888)
}
