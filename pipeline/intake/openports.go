package intake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// maxEntries bounds the hosts and open ports that one file may bring.
const maxEntries = 5_000_000

// findings are the open ports that a scanner tells of which tells nothing else: what is not
// there was not looked at, or not open, and nobody knows which.
type findings struct {
	Program    string // "masscan" or "naabu"
	Start, End time.Time
	Hosts      []state.Host // sorted, each answered for its open ports alone
	places     map[netip.Addr]int
	entries    int
}

// record is one of masscan's or naabu's. masscan writes a record for each port that
// answered, with the port in an array (-oJ) or without one (-oD), and naabu (-json) one for
// each open port; early ones had an object for the port.
type record struct {
	IP        string          `json:"ip"`
	Host      string          `json:"host"`
	Timestamp json.RawMessage `json:"timestamp"`
	Port      json.RawMessage `json:"port"`
	Protocol  string          `json:"protocol"`
	MAC       string          `json:"mac_address"`
	Name      string          `json:"name"`
	Product   string          `json:"product"`
	Version   string          `json:"version"`
	ExtraInfo string          `json:"extra_info"`
	Tunnel    string          `json:"tunnel"`
	CPEs      []string        `json:"cpes"`

	Ports []masscanPort `json:"ports"`
	Proto string        `json:"proto"`
	Type  string        `json:"rec_type"`
	Data  struct {
		Status  string `json:"status"`
		Service string `json:"service_name"`
	} `json:"data"`
}

type masscanPort struct {
	Port    int    `json:"port"`
	Proto   string `json:"proto"`
	Status  string `json:"status"`
	Service struct {
		Name string `json:"name"`
	} `json:"service"`
}

// readFindings reads the JSON of masscan or naabu: an array, with or without a comma too many,
// or lines. A file that is cut off, or has a record that is none of theirs, is refused whole;
// the error tells the line.
func readFindings(r io.Reader) (findings, error) {
	f := findings{places: map[netip.Addr]int{}}
	all := newRecords(r)
	for {
		text, err := all.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return findings{}, err
		}
		var rec record
		if err := json.Unmarshal(text, &rec); err != nil {
			return findings{}, all.fault("no record of masscan or naabu: %s", state.Clean(err.Error()))
		}
		if err := f.add(rec); err != nil {
			return findings{}, all.fault("%w", err)
		}
	}
	if len(f.Hosts) == 0 {
		return findings{}, errors.New("it names no host: nothing follows from that")
	}
	f.finish()
	return f, nil
}

// add takes in a record.
func (f *findings) add(rec record) error {
	address, err := netip.ParseAddr(rec.IP)
	if err != nil {
		return fmt.Errorf("no record of masscan or naabu: its ip %.60q is no address", rec.IP)
	}
	address = address.WithZone("").Unmap()
	if err := f.date(rec.Timestamp); err != nil {
		return err
	}
	switch {
	case len(rec.Ports) > 0 || rec.Proto != "" && rec.Type != "":
		f.Program = "masscan"
	case f.Program == "":
		f.Program = "naabu"
	}
	for _, p := range rec.Ports {
		if p.Status == "" || p.Status == "open" {
			if err := f.open(address, p.Proto, p.Port, state.Service{Name: state.Clean(p.Service.Name)}); err != nil {
				return err
			}
		}
	}
	if len(rec.Ports) > 0 {
		return nil
	}
	if rec.Type == "status" && rec.Data.Status != "open" {
		return nil
	}
	number, protocol, err := portOf(rec)
	if err != nil {
		return err
	}
	service := state.Service{Name: state.Clean(rec.Name + rec.Data.Service)}
	if rec.Product != "" {
		service.Product, service.Version, service.ExtraInfo = state.Clean(rec.Product), state.Clean(rec.Version), state.Clean(rec.ExtraInfo)
		service.Tunnel, service.Probed = state.Clean(rec.Tunnel), true
		for _, cpe := range rec.CPEs[:min(len(rec.CPEs), maxCPE)] {
			service.CPE = append(service.CPE, state.Clean(cpe))
		}
	}
	if err := f.open(address, protocol, number, service); err != nil {
		return err
	}
	f.named(address, rec)
	return nil
}

// maxCPE is how many names of a service are kept.
const maxCPE = 8

// portOf returns the port of a record; 0: it has none, the host is all that it tells of.
func portOf(rec record) (number int, protocol string, err error) {
	protocol = rec.Protocol + rec.Proto
	text := bytes.TrimSpace(rec.Port)
	if len(text) == 0 || string(text) == "null" {
		return 0, protocol, nil
	}
	if text[0] == '{' {
		var port struct{ Port, Protocol int }
		if err := json.Unmarshal(text, &port); err != nil {
			return 0, "", fmt.Errorf("port %.60q is none", text)
		}
		if protocol == "" && port.Protocol == 1 {
			protocol = "udp"
		}
		return port.Port, protocol, nil
	}
	if number, err = strconv.Atoi(strings.Trim(string(text), `"`)); err != nil {
		return 0, "", fmt.Errorf("port %.60q is none", text)
	}
	return number, protocol, nil
}

// date takes in when something was seen: seconds since 1970, or RFC 3339.
func (f *findings) date(raw json.RawMessage) error {
	text := strings.Trim(string(bytes.TrimSpace(raw)), `"`)
	if text == "" || text == "null" {
		return nil
	}
	var at time.Time
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		at = time.Unix(seconds, 0).UTC()
	} else if at, err = time.Parse(time.RFC3339, text); err != nil {
		return fmt.Errorf("timestamp %.60q is no time", text)
	}
	if at.Unix() <= 0 {
		return nil
	}
	at = at.UTC()
	if f.Start.IsZero() || at.Before(f.Start) {
		f.Start = at
	}
	if at.After(f.End) {
		f.End = at
	}
	return nil
}
