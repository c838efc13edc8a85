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
	Args     string       // nmap's command line, cleaned
	Version  string       // nmap's version, cleaned
	Start    time.Time    // UTC
	Finished time.Time    // UTC
	Total    int          // addresses that nmap looked at
	Up       int          // of them those that nmap calls up
	Down     int          // nmap names these only with -v
}

// ReadFile reads the XML output of a finished nmap run (-oX), plain or gzipped.
func ReadFile(name string) (Document, error) {
	file, err := os.Open(name)
	if err != nil {
		return Document{}, err
	}
	defer file.Close()
	return Read(file, name)
}

// Read reads the XML output of a finished nmap run, of nmap 4 to 7. gzip is
// known by its content. A document that is cut off, is not nmap's or does not
// end in success is refused whole; the error starts with name.
func Read(r io.Reader, name string) (Document, error) {
	doc, err := read(r)
	if err != nil {
		return Document{}, fmt.Errorf("%s: %w", name, err)
	}
	return doc, nil
}

func read(r io.Reader) (Document, error) {
	source := bufio.NewReader(r)
	head, err := source.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return Document{}, err
	}
	if len(head) == 0 {
		return Document{}, errors.New("the file is empty")
	}
	var plain io.Reader = source
	if bytes.Equal(head, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(source)
		if err != nil {
			return Document{}, fmt.Errorf("unpack gzip: %w", err)
		}
		defer unpacked.Close()
		plain = unpacked
	}
	hosts := map[netip.Addr]state.Host{}
	up := 0
	run, err := decode(plain, maxDocument, handler{host: func(run runXML, h hostXML) {
		seen := observe(h, portsOrNone(run.asked), run.services)
		before, again := hosts[h.address]
		if again {
			seen = merge(before, seen)
		} else if h.status.State == string(state.Up) {
			up++
		}
		hosts[h.address] = seen
	}})
	switch {
	case err != nil:
		return Document{}, err
	case up > run.up:
		return Document{}, fmt.Errorf("it names %d hosts that are up, and says that there are %d", up, run.up)
	}
	doc := Document{Args: run.args, Version: run.version, Start: run.start, Finished: run.end, Total: run.total, Up: run.up, Down: run.down}
	for _, h := range hosts {
		doc.Hosts = append(doc.Hosts, h)
	}
	state.SortHosts(doc.Hosts)
	return doc, nil
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
		b.Coverage[i].Ports = line.Ports.Union(a.Covered(line.Protocol).Ports).Without(uncertain(b, line.Protocol))
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
