package scan

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"ownmap/pipeline/nmapxml"
	"ownmap/pipeline/state"
)

// Limits of one nmap's output, in bytes. 65,535 open ports with banners on one
// host are 66 MB; beyond the limit what was read still counts.
const maxShardOutput = 512 << 20

// runXML is what an nmaprun element says of the whole run (nmap.dtd).
type runXML struct {
	program         string // its scanner attribute
	args, version   string
	start, end      time.Time
	asked           ports // of its scaninfo elements
	services        bool  // service detection ran
	privileged      bool  // some scan was none of plain connects
	up, down, total int
	finished        bool // it has its runstats and they tell of success
}

// handler gets what a stream of XML says, as it comes. Nil functions are left
// out.
type handler struct {
	// host gets each host once it is complete, for as long as the call lasts. The
	// runXML tells what is known of the run so far: arguments and ports asked for.
	host func(runXML, hostXML)
	// task gets the progress of a task of nmap, from 0 to 1.
	task func(name string, fraction float64)
}

// decodeError is a fault of a document, with its place.
type decodeError struct {
	line int
	err  error
}

func (e *decodeError) Error() string { return fmt.Sprintf("%s, line %d", e.err, e.line) }
func (e *decodeError) Unwrap() error { return e.err }

// FaultLine returns in which line the fault of a document is, from 1, and the fault without
// it; 0 and err itself where it has no line.
func FaultLine(err error) (line int, fault error) {
	var placed *decodeError
	if errors.As(err, &placed) {
		return placed.line, placed.err
	}
	return 0, err
}

// decode reads the XML of one nmap run as it comes, at most limit bytes, and
// keeps no more of it than a host. It fails unless the document is whole, is
// nmap's, and ends with the statistics of a run that succeeded; hosts that were
// complete before were handed over.
func decode(r io.Reader, limit int64, handle handler) (runXML, error) {
	d := decoder{
		Scanner: nmapxml.NewScanner(&cappedReader{source: r, left: limit}),
		handle:  handle, run: runXML{asked: ports{}}, words: map[string]string{}, cpes: map[string][]string{},
	}
	err := d.document()
	if err == nil && !d.run.finished {
		err = errors.New("there is no <runstats>: nmap did not finish")
	}
	// A gzip file that was cut ends with io.ErrUnexpectedEOF.
	if errors.Is(err, nmapxml.ErrTruncated) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errTruncated
	}
	if err != nil {
		return d.run, &decodeError{d.Line(), err}
	}
	return d.run, nil
}

type decoder struct {
	*nmapxml.Scanner
	handle handler
	run    runXML
	words  map[string]string // see word

	// Room for what is read next.
	ports    []portXML
	extra    []extraPorts
	gathered []byte   // see content
	cpe      []string // see service

	cpes map[string][]string // lists of CPE by their first, see sameCPE
	list writtenPorts        // the one that was read last
}

// document walks the root's children.
func (d *decoder) document() error {
	for {
		kind, err := d.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && kind == nmapxml.Start {
			err = d.element()
		}
		if err != nil {
			return err
		}
	}
}

func (d *decoder) element() error {
	switch string(d.Name()) {
	case "nmaprun":
		return d.root()
	case "scaninfo":
		return d.scanInfo()
	case "host":
		host, err := d.host()
		if err == nil && d.handle.host != nil {
			d.handle.host(d.run, host)
		}
		return err
	case "taskprogress":
		return d.task()
	case "runstats":
		return d.stats()
	}
	return d.Skip()
}

// task reads how far a task of nmap's is.
func (d *decoder) task() error {
	name, percent := d.text("task"), d.text("percent")
	if done, err := strconv.ParseFloat(percent, 64); err == nil && d.handle.task != nil {
		d.handle.task(name, done/100)
	}
	return d.Skip()
}

// asksServices says whether nmap's arguments bring service detection: -A, or a V
// among the scan types as in -sV and -sSV.
func asksServices(args string) bool {
	for arg := range strings.FieldsSeq(args) {
		if types, ok := strings.CutPrefix(arg, "-s"); arg == "-A" || (ok && strings.Contains(types, "V")) {
			return true
		}
	}
	return false
}

// root reads the attributes of nmaprun; its children are met by document.
func (d *decoder) root() error {
	for _, a := range d.Attrs() {
		switch string(a.Name) {
		case "args":
			args := string(a.Value)
			d.run.args, d.run.services = state.Clean(args), asksServices(args)
		case "scanner":
			d.run.program = state.Clean(string(a.Value))
		case "version":
			d.run.version = state.Clean(string(a.Value))
		case "start":
			seconds, err := strconv.ParseInt(string(a.Value), 10, 64)
			if err != nil {
				return fmt.Errorf("start time %.40q is no number", a.Value)
			}
			d.run.start = time.Unix(seconds, 0).UTC()
		}
	}
	return nil
}

// scanInfo adds the ports of a scaninfo element: nmap writes one for each kind
// of scan.
func (d *decoder) scanInfo() error {
	protocol, err := state.ParseProtocol(d.text("protocol"))
	services := d.text("services")
	if kind := d.text("type"); protocol == state.TCP && kind != "" && kind != "connect" {
		d.run.privileged = true
	}
	if skipped := d.Skip(); skipped != nil || err != nil {
		return skipped // without an error: an IP protocol scan is about no ports
	}
	set, err := state.ParsePortSet(withoutZero(services))
	if err != nil {
		return fmt.Errorf("services of scaninfo: %w", err)
	}
	d.run.asked[protocol] = d.run.asked[protocol].Union(set)
	return nil
}

// withoutZero takes port 0 out of a list: nmap can scan it, nothing can listen
// there for long.
func withoutZero(list string) string {
	switch rest, found := strings.CutPrefix(list, "0"); {
	case !found:
		return list
	case strings.HasPrefix(rest, "-"):
		return "1" + rest
	default:
		return strings.TrimPrefix(rest, ",")
	}
}

// stats reads the end of a run. nmap before 5 wrote no exit attribute.
func (d *decoder) stats() error {
	var end int64
	var exit, fault string
	var up, down, total int
	err := d.children(func() error {
		for _, a := range d.Attrs() {
			var err error
			switch string(d.Name()) + " " + string(a.Name) {
			case "finished time":
				end, err = strconv.ParseInt(string(a.Value), 10, 64)
			case "finished exit":
				exit = string(a.Value)
			case "finished errormsg":
				fault = string(a.Value)
			case "hosts up":
				up, err = count(a.Value)
			case "hosts down":
				down, err = count(a.Value)
			case "hosts total":
				total, err = count(a.Value)
			}
			if err != nil {
				return fmt.Errorf("%s of the <runstats> is %.40q: no number", a.Name, a.Value)
			}
		}
		return d.Skip()
	})
	switch {
	case err != nil:
		return err
	case d.run.finished:
		return errors.New("a second <runstats>")
	case end <= 0:
		return errors.New("the <runstats> have no <finished>: nmap did not finish")
	case exit != "" && exit != "success":
		return errors.New("nmap reports a failure: " + state.Clean(exit+" "+fault))
	case up < 0 || down < 0 || up+down != total:
		return fmt.Errorf("%d hosts up and %d down do not make %d", up, down, total)
	}
	d.run.end, d.run.finished = time.Unix(end, 0).UTC(), true
	d.run.up, d.run.down, d.run.total = up, down, total
	return nil
}
