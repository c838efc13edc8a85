package export

import (
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// NmapXML writes a run's report as nmap writes a scan (nmap.dtd of nmap 7.93), for
// ndiff, for nmap's own style sheet and for whatever else reads that. What nmap
// would show of the same scan is there as nmap shows it: hosts that answered, their
// open ports, the others one by one where those of a state are few and counted where
// they are many.
//
// Only what this run saw is in it. A host that was silent is counted and not listed,
// as nmap does it; one that was not scanned, or not to the end, is marked as timed
// out and its state is "unknown", without ports: the known ones are no news of this
// run, and OwnMap's own diff concludes nothing from such a host. Ports of a host
// that answered which were not looked at are left out.
//
// What OwnMap does not keep is not there: output of scripts,
// operating systems, round-trip times, and the line that a service sent which nmap
// has no name for. Reasons are those that nmap gives for such a state. The format
// has no place for approvals, for changes and for the inside of hosts.
func NmapXML(w io.Writer, report state.Report) error {
	args := append([]string{"ownmap", "run"}, report.Run.Only...)
	return writeNmap(w, nmapWriter{report: report, single: singleVantage(report.Hosts), args: strings.Join(args, " ")})
}

// StateXML writes what is known of hosts, as persist.Book.KnownReport returns it, as nmap
// writes a scan that found just that: as NmapXML does, and with the hosts that are down, which
// nmap names when it is verbose. Whoever reads it knows the same hosts and ports.
func StateXML(w io.Writer, report state.Report) error {
	return writeNmap(w, nmapWriter{report: report, single: singleVantage(report.Hosts), args: "ownmap export", all: true})
}

func writeNmap(w io.Writer, writer nmapWriter) error {
	if err := writer.write(w); err != nil {
		return fmt.Errorf("write nmap's XML: %w", err)
	}
	return nil
}

func (n *nmapWriter) write(w io.Writer) error {
	report := n.report
	if _, err := io.WriteString(w, xml.Header+"<!DOCTYPE nmaprun>\n"); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", " ")
	root := n.root()
	if err := e.EncodeToken(root); err != nil {
		return err
	}
	elements := []any{nmapLevel{XMLName: xml.Name{Local: "verbose"}}, nmapLevel{XMLName: xml.Name{Local: "debugging"}}}
	for _, info := range slices.Backward(nmapAsked(report)) {
		elements = slices.Insert(elements, 0, any(info))
	}
	for _, element := range elements {
		if err := e.Encode(element); err != nil {
			return err
		}
	}
	for _, h := range report.Hosts {
		if host, listed := n.host(h); listed {
			if err := e.Encode(host); err != nil {
				return err
			}
		}
	}
	if err := e.Encode(n.stats()); err != nil {
		return err
	}
	if err := e.EncodeToken(root.End()); err != nil {
		return err
	}
	if err := e.Close(); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// root returns the start of the document. Its arguments are those of OwnMap: two runs
// that asked for the same have the same.
func (n *nmapWriter) root() xml.StartElement {
	start := n.report.Run.StartedAt.UTC()
	root := xml.StartElement{Name: xml.Name{Local: "nmaprun"}}
	for _, a := range [][2]string{
		{"scanner", "nmap"},
		{"args", state.Clean(n.args)},
		{"start", strconv.FormatInt(start.Unix(), 10)},
		{"startstr", start.Format(time.ANSIC)},
		{"version", state.Clean(n.report.Run.Scanner.Version)},
		{"xmloutputversion", "1.05"},
	} {
		root.Attr = append(root.Attr, xml.Attr{Name: xml.Name{Local: a[0]}, Value: a[1]})
	}
	return root
}

// nmapAsked returns the ports that the run looked at on any host, by protocol.
func nmapAsked(report state.Report) []nmapScanInfo {
	sets := map[state.Protocol]state.PortSet{}
	done := map[state.Protocol]string{} // the set that was added last: most hosts have the same
	for _, h := range report.Hosts {
		for _, c := range h.Coverage {
			if text := c.Ports.String(); c.Status == state.Answered && done[c.Protocol] != text {
				sets[c.Protocol], done[c.Protocol] = sets[c.Protocol].Union(c.Ports), text
			}
		}
		for _, p := range h.Ports {
			if p.StaleSince == nil && !sets[p.Protocol].Contains(p.Number) {
				sets[p.Protocol] = sets[p.Protocol].Union(state.PortsOf(p.Number))
			}
		}
	}
	var list []nmapScanInfo
	for _, protocol := range slices.Sorted(maps.Keys(sets)) {
		kind := string(protocol)
		if protocol == state.TCP {
			kind = "connect"
			if report.Run.Scanner.Privileged {
				kind = "syn"
			}
		}
		list = append(list, nmapScanInfo{Type: kind, Protocol: string(protocol), Count: sets[protocol].Len(), Services: sets[protocol].String()})
	}
	return list
}

// nmapWriter makes the elements of hosts, and counts them.
type nmapWriter struct {
	report   state.Report
	single   bool   // all hosts are seen from one vantage
	args     string // command line
	all      bool   // names hosts that are down too
	up, down int
	skipped  int
}

func singleVantage(hosts []state.HostReport) bool {
	return !slices.ContainsFunc(hosts, func(h state.HostReport) bool { return h.Vantage != hosts[0].Vantage })
}

// host returns the element of a host; listed says whether it has one.
func (n *nmapWriter) host(h state.HostReport) (host nmapHost, listed bool) {
	host.Addresses = []addressXML{addressElement(h.Address)}
	if h.MAC != "" {
		host.Addresses = append(host.Addresses, addressXML{Addr: state.Clean(h.MAC), Type: "mac"})
	}
	for _, name := range h.Names {
		host.Hostnames = append(host.Hostnames, nmapHostname{Name: state.Clean(name), Type: "PTR"}) // where it comes from is not kept
	}
	var comments []string
	if !n.single {
		comments = append(comments, "seen from "+h.Vantage)
	}
	switch h.Status() {
	case state.Silent:
		n.down++
		host.Status = nmapStatus{State: "down", Reason: noResponse}
		return host, n.all
	case state.NotScanned:
		n.skipped++
		host.TimedOut, host.Status = "true", nmapStatus{State: "unknown", Reason: "not-scanned"}
		reason := "not scanned"
		if len(h.Coverage) > 0 && h.Coverage[0].Reason != "" {
			reason += ": " + h.Coverage[0].Reason
		}
		comments = append(comments, reason)
	case state.Answered:
		n.up++
		ports := nmapPortsOf(h, n.report.PortNames, n.report.Run.Scanner.Privileged)
		host.Status, host.Ports = nmapStatus{State: "up", Reason: upReason(ports)}, ports
		if h.Spoofed.Len() > 0 || slices.ContainsFunc(h.Findings, func(f state.Finding) bool { return f.Kind == state.AllPortsOpen }) {
			comments = append(comments, "calls nearly every TCP port open: none of them is listed")
		}
	}
	host.Comment = state.Clean(strings.Join(comments, "; "))
	return host, true
}

// upReason returns a reason that nmap gives for such a host.
func upReason(ports *nmapPorts) string {
	for _, p := range ports.Ports {
		if p.State.Reason != noResponse {
			return p.State.Reason
		}
	}
	for _, e := range ports.Extra {
		if r := e.Reasons[0].Reason; r != noResponse {
			return r
		}
	}
	return "answered" // to what is not kept: an echo, perhaps
}

// stats returns the end of the document.
func (n *nmapWriter) stats() nmapStats {
	start, end := n.report.Run.StartedAt.UTC(), n.report.Run.StartedAt.UTC()
	if n.report.Run.FinishedAt != nil {
		end = n.report.Run.FinishedAt.UTC()
	}
	summary := fmt.Sprintf("OwnMap run %d done at %s; %s answered, %d silent, %d not scanned", n.report.Run.ID, end.Format(time.ANSIC),
		state.Count(n.up, "host", "hosts"), n.down, n.skipped)
	if n.all {
		summary = fmt.Sprintf("OwnMap as of %s; %s up, %d down", end.Format(time.ANSIC), state.Count(n.up, "host", "hosts"), n.down)
	}
	return nmapStats{
		Finished: nmapFinished{Time: end.Unix(), Text: end.Format(time.ANSIC), Summary: summary, Elapsed: fmt.Sprintf("%.2f", end.Sub(start).Seconds()), Exit: "success"},
		Hosts:    nmapTotals{Up: n.up, Down: n.down, Total: n.up + n.down},
	}
}
