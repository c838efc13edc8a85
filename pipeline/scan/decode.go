package scan

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/Ullaakut/nmap/v3"

	"ownmap/pipeline/state"
)

// Limits of one nmap's output, in bytes. 65,535 open ports with banners on one
// host are 66 MB; beyond the limit what was read still counts.
const maxShardOutput = 512 << 20

// runXML is what an nmaprun element says of the whole run (nmap.dtd).
type runXML struct {
	args, version   string
	start, end      time.Time
	asked           ports // of its scaninfo elements
	services        bool  // service detection ran
	up, down, total int
	finished        bool // it has its runstats and they tell of success
}

// handler gets what a stream of XML says, as it comes. Nil functions are left
// out.
type handler struct {
	// host gets each host once it is complete. The runXML tells what is known of
	// the run so far: arguments and ports asked for.
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

// decode reads the XML of one nmap run as it comes, at most limit bytes. It
// fails unless the document is whole, is nmap's, and ends with the statistics
// of a run that succeeded; hosts that were complete before were handed over.
func decode(r io.Reader, limit int64, handle handler) (runXML, error) {
	capped := &cappedReader{source: r, left: limit}
	raw := xml.NewDecoder(capped)
	d := decoder{Decoder: xml.NewTokenDecoder(&guard{raw: raw}), handle: handle, run: runXML{asked: ports{}}}
	err := d.document()
	if err == nil && !d.run.finished {
		err = errors.New("there is no <runstats>: nmap did not finish")
	}
	if err != nil {
		line, _ := raw.InputPos()
		return d.run, &decodeError{line, unwrapSyntax(err)}
	}
	return d.run, nil
}

// unwrapSyntax takes the line out of a syntax error: the outer decoder counts
// none.
func unwrapSyntax(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) { // a gzip file that was cut
		return errTruncated
	}
	var syntax *xml.SyntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	if strings.Contains(syntax.Msg, "unexpected EOF") {
		return errTruncated
	}
	return errors.New("broken XML: " + syntax.Msg)
}

type decoder struct {
	*xml.Decoder
	handle handler
	run    runXML
}

// document walks the root's children.
func (d *decoder) document() error {
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if start, ok := token.(xml.StartElement); ok {
			if err := d.element(start); err != nil {
				return err
			}
		}
	}
}

func (d *decoder) element(start xml.StartElement) error {
	switch start.Name.Local {
	case rootElement:
		return d.root(start)
	case "scaninfo":
		return d.scanInfo(start)
	case "host":
		host, err := d.host(start)
		if err == nil && d.handle.host != nil {
			d.handle.host(d.run, host)
		}
		return err
	case "taskprogress":
		var task nmap.TaskProgress
		err := d.DecodeElement(&task, &start)
		if err == nil && d.handle.task != nil {
			d.handle.task(task.Task, float64(task.Percent)/100)
		}
		return err
	case "runstats":
		return d.stats(start)
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
func (d *decoder) root(start xml.StartElement) error {
	for _, a := range start.Attr {
		switch a.Name.Local {
		case "args":
			d.run.args = state.Clean(a.Value)
			d.run.services = asksServices(a.Value)
		case "version":
			d.run.version = state.Clean(a.Value)
		case "start":
			var t nmap.Timestamp
			if err := t.ParseTime(a.Value); err != nil {
				return fmt.Errorf("start time %.40q is no number", a.Value)
			}
			d.run.start = time.Time(t).UTC()
		}
	}
	return nil
}

// scanInfo adds the ports of a scaninfo element: nmap writes one for each kind
// of scan.
func (d *decoder) scanInfo(start xml.StartElement) error {
	var info nmap.ScanInfo
	if err := d.DecodeElement(&info, &start); err != nil {
		return err
	}
	protocol, err := state.ParseProtocol(info.Protocol)
	if err != nil {
		return nil //nolint:nilerr // an IP protocol scan is about no ports
	}
	set, err := state.ParsePortSet(withoutZero(info.Services))
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
func (d *decoder) stats(start xml.StartElement) error {
	var stats nmap.Stats
	if err := d.DecodeElement(&stats, &start); err != nil {
		return err
	}
	end, hosts := stats.Finished, stats.Hosts
	switch {
	case d.run.finished:
		return errors.New("a second <runstats>")
	case time.Time(end.Time).Unix() <= 0:
		return errors.New("the <runstats> have no <finished>: nmap did not finish")
	case end.Exit != "" && end.Exit != "success":
		return errors.New("nmap reports a failure: " + state.Clean(end.Exit+" "+end.ErrorMsg))
	case hosts.Up < 0 || hosts.Down < 0 || hosts.Up+hosts.Down != hosts.Total:
		return fmt.Errorf("%d hosts up and %d down do not make %d", hosts.Up, hosts.Down, hosts.Total)
	}
	d.run.end, d.run.finished = time.Time(end.Time).UTC(), true
	d.run.up, d.run.down, d.run.total = hosts.Up, hosts.Down, hosts.Total
	return nil
}
