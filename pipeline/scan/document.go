package scan

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"time"

	"ownmap/pipeline/state"
)

// maxDocument is how much XML a file may hold, in bytes, unpacked.
const maxDocument = 2 << 30

// Document is a finished scan that stands in a file.
type Document struct {
	Hosts    []state.Host // sorted, no address twice; those that the file names, each with its coverage
	Program  string       // that wrote it, cleaned: "nmap", "masscan"; empty: it does not say
	Args     string       // its command line, cleaned
	Version  string       // its version, cleaned
	Start    time.Time    // UTC
	Finished time.Time    // UTC
	Total    int          // addresses that nmap looked at
	Up       int          // of them those that nmap calls up
	Down     int          // nmap names these only with -v
	// Privileged says that ports were asked by more than plain connects.
	Privileged bool
	// PortNames are what nmap's table calls the ports that it listed one by one though
	// they are not open, cleaned.
	PortNames map[state.Port]string
}

// ReadFile reads the XML output of a finished nmap run (-oX), plain or gzipped.
func ReadFile(name string) (Document, error) { return readFile(name, nil) }

// ReadFiles reads two such files. What the second says of a host just as the
// first does is kept once, which halves the memory: neither may be modified.
func ReadFiles(nameA, nameB string) (a, b Document, err error) {
	a, errA := readFile(nameA, nil)
	b, errB := readFile(nameB, a.Hosts)
	return a, b, errors.Join(errA, errB)
}

func readFile(name string, known []state.Host) (Document, error) {
	file, err := os.Open(name)
	if err != nil {
		return Document{}, err
	}
	defer file.Close()
	return named(name, file, known)
}

// Read reads the XML output of a finished nmap run, of nmap 4 to 7. gzip is
// known by its content. A document that is cut off, is not nmap's or does not
// end in success is refused whole; the error starts with name.
func Read(r io.Reader, name string) (Document, error) { return named(name, r, nil) }

// ReadAfter is Read of the next one of many files of one network. What it says of a host
// just as the document before it did is kept once: neither may be modified.
func ReadAfter(r io.Reader, name string, before Document) (Document, error) {
	return named(name, r, before.Hosts)
}

func named(name string, r io.Reader, known []state.Host) (Document, error) {
	doc, err := unpack(r, known)
	if err != nil {
		return Document{}, fmt.Errorf("%s: %w", name, err)
	}
	return doc, nil
}

func unpack(r io.Reader, known []state.Host) (Document, error) {
	source := bufio.NewReader(r)
	head, err := source.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return Document{}, err
	}
	switch {
	case len(head) == 0:
		return Document{}, errors.New("the file is empty")
	case !bytes.Equal(head, []byte{0x1f, 0x8b}):
		return read(source, known)
	}
	unpacked, err := gzip.NewReader(source)
	if err != nil {
		return Document{}, fmt.Errorf("unpack gzip: %w", err)
	}
	defer unpacked.Close()
	return read(unpacked, known)
}

// read reads a document. known are the hosts of an earlier one, sorted.
func read(r io.Reader, known []state.Host) (Document, error) {
	doc := Document{Hosts: make([]state.Host, 0, len(known))}
	places := make(map[netip.Addr]int, len(known)) // in doc.Hosts
	up := 0
	run, err := decode(r, maxDocument, handler{host: func(run runXML, h hostXML) {
		place, again := places[h.address]
		doc.name(h)
		before := find(known, h.address)
		h.before = before.Ports
		seen := observe(h, portsOrNone(run.asked), run.services)
		switch {
		case again:
			doc.Hosts[place] = merge(doc.Hosts[place], seen)
			return
		case h.status.State == string(state.Up):
			up++
		}
		if slices.Equal(before.Names, seen.Names) {
			seen.Names = before.Names
		}
		if slices.EqualFunc(before.Coverage, seen.Coverage, state.Coverage.Equal) {
			seen.Coverage = before.Coverage
		}
		places[h.address] = len(doc.Hosts)
		if len(doc.Hosts) == cap(doc.Hosts) {
			doc.Hosts = slices.Grow(doc.Hosts, len(doc.Hosts)+1) // twice: append itself copies more often
		}
		doc.Hosts = append(doc.Hosts, seen)
	}})
	switch {
	case err != nil:
		return Document{}, err
	case up > run.up:
		return Document{}, fmt.Errorf("it names %d hosts that are up, and says that there are %d", up, run.up)
	}
	doc.Program, doc.Args, doc.Version, doc.Start, doc.Finished = run.program, run.args, run.version, run.start, run.end
	doc.Total, doc.Up, doc.Down, doc.Privileged = run.total, run.up, run.down, run.privileged
	state.SortHosts(doc.Hosts)
	return doc, nil
}

// name takes in what nmap's table calls the ports of a host that are not open.
func (d *Document) name(h hostXML) {
	for i := range h.ports {
		p := &h.ports[i]
		if p.Service.Name == "" || p.State == state.Open || p.State == state.OpenFiltered {
			continue
		}
		if d.PortNames == nil {
			d.PortNames = make(map[state.Port]string)
		}
		d.PortNames[p.Port] = p.Service.Name
	}
}

// find returns the host of an address, or the zero Host. hosts are those of a
// document, sorted.
func find(hosts []state.Host, address netip.Addr) state.Host {
	i, found := slices.BinarySearchFunc(hosts, address, func(h state.Host, a netip.Addr) int { return h.Address.Compare(a) })
	if !found {
		return state.Host{}
	}
	return hosts[i]
}

// portsOrNone stands in for a ping scan, which asks for no port and still tells
// which hosts answered.
func portsOrNone(asked ports) ports {
	if len(asked) == 0 {
		return ports{state.TCP: state.PortSet{}}
	}
	return asked
}

// merge joins what a file says of the same address in two places, as nmap writes
// it for a target that was named twice: the one that knows more wins, and of two
// that know as much the later, port by port.
func merge(a, b state.Host) state.Host {
	if rank(a) > rank(b) {
		return a
	}
	if rank(b) > rank(a) {
		return b
	}
	names := slices.Concat(a.Names, b.Names)
	b.Names = nil
	for _, name := range names {
		if !slices.Contains(b.Names, name) {
			b.Names = append(b.Names, name)
		}
	}
	for _, p := range a.Ports {
		if _, both := b.Find(p.Port); !both && !b.Covered(p.Protocol).Conclusive(p.Port) {
			b.Ports = append(b.Ports, p)
		}
	}
	slices.SortFunc(b.Ports, func(p, q state.PortStatus) int { return p.Compare(q.Port) })
	for i, line := range b.Coverage {
		other := a.Covered(line.Protocol)
		b.Coverage[i].Ports = line.Ports.Union(other.Ports).Without(uncertain(b, line.Protocol))
		b.Coverage[i].Filtered, b.Coverage[i].Apart = line.Filtered.Union(other.Filtered.Without(line.Ports)), line.Apart && other.Apart
	}
	return b
}

// uncertain returns the ports of a host that are open|filtered.
func uncertain(h state.Host, protocol state.Protocol) state.PortSet {
	var numbers []uint16
	for _, p := range h.Ports {
		if p.Protocol == protocol && p.State == state.OpenFiltered {
			numbers = append(numbers, p.Number)
		}
	}
	return state.PortsOf(numbers...)
}

// rank orders what can be known of a host: an answer over silence, silence over
// nothing.
func rank(h state.Host) int {
	switch h.Status() {
	case state.Answered:
		return 2
	case state.Silent:
		return 1
	case state.NotScanned:
	}
	return 0
}
