package main

import (
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/scan"
	"ownmap/pipeline/state"
	"ownmap/reports/export"
)

// captured makes a report of what a file of nmap's tells, as a run would that saw the
// same.
func captured(t *testing.T, file string) (state.Report, error) {
	t.Helper()
	doc, err := scan.ReadFile(file)
	if err != nil {
		return state.Report{}, err
	}
	r := state.Report{Run: state.Run{ID: 1, StartedAt: doc.Start, FinishedAt: &doc.Finished, Scanner: state.Scanner{Version: doc.Version, Privileged: true}}, PortNames: map[state.Port]string{}}
	for _, h := range doc.Hosts {
		host := state.HostReport{Host: h}
		for _, p := range h.Ports {
			host.Ports = append(host.Ports, state.PortReport{PortStatus: p, LastSeen: doc.Start})
		}
		r.Hosts = append(r.Hosts, host)
	}
	var names struct {
		Ports []struct {
			ID       string `xml:"portid,attr"`
			Protocol string `xml:"protocol,attr"`
			Service  struct {
				Name string `xml:"name,attr"`
			} `xml:"service"`
		} `xml:"host>ports>port"`
	}
	text, err := os.ReadFile(file)
	if err == nil {
		err = xml.Unmarshal(text, &names)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range names.Ports {
		if port, err := state.ParsePort(p.ID + "/" + p.Protocol); err == nil {
			r.PortNames[port] = p.Service.Name
		}
	}
	return r, nil
}

// TestCapturedScans reads what real nmaps wrote, makes a report of it and writes that
// as nmap would: ndiff finds no difference. Files that OwnMap refuses, and hosts that
// nmap gave up, have none to compare.
func TestCapturedScans(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../pipeline/scan/testdata/*.xml")
	more, _ := filepath.Glob("../../pipeline/scan/testdata/coverage/*.xml")
	if err != nil || len(files)+len(more) < 12 {
		t.Fatalf("%d files, %v", len(files)+len(more), err)
	}
	compared := 0
	for _, file := range append(files, more...) {
		report, err := captured(t, file)
		name := filepath.Base(file)
		if err != nil {
			if !strings.HasPrefix(name, "killed-") {
				t.Error(err)
			}
			continue
		}
		ours := filepath.Join(t.TempDir(), name)
		if err := writeFile(ours, writerOf(report)); err != nil {
			t.Fatal(err)
		}
		valid(t, ours)
		told, code := ndiff(t, file, ours)
		switch name {
		case "host-timeout-b.xml":
			if !strings.Contains(told, "+Host is unknown.") {
				t.Errorf("%s: ndiff ends with %d and tells\n%s", name, code, told)
			}
			continue
		case "stopped-answering-b.xml": // of a verbose nmap, which lists hosts that are down
			if code != 1 || told != "\n-192.0.2.19:\n-Host is down.\n" {
				t.Errorf("%s: ndiff ends with %d and tells\n%s", name, code, told)
			}
			continue
		case "stopped-answering-pn-b.xml": // nmap was told that the host is up, and nothing came back
			if !strings.Contains(told, "-Host is up.") {
				t.Errorf("%s: ndiff ends with %d and tells\n%s", name, code, told)
			}
			continue
		}
		if code != 0 || told != "" {
			t.Errorf("%s: ndiff ends with %d and tells\n%s", name, code, told)
		}
		compared++
	}
	if compared < 8 {
		t.Errorf("only %d files were compared", compared)
	}
}

// TestNotScannedIsUnknown holds what becomes of hosts that a run did not look at:
// ndiff is told that they are unknown, and OwnMap's own diff that nothing follows.
func TestNotScannedIsUnknown(t *testing.T) {
	t.Parallel()
	was, err := captured(t, "../../pipeline/scan/testdata/coverage/host-timeout-a.xml")
	if err != nil {
		t.Fatal(err)
	}
	now := was
	now.Hosts = nil
	for i, h := range was.Hosts {
		stale := h.Ports[0].LastSeen.Add(-24 * time.Hour)
		for j := range h.Ports {
			h.Ports = append([]state.PortReport{}, h.Ports...)
			h.Ports[j].StaleSince = &stale
		}
		h.Coverage = []state.Coverage{{Protocol: state.TCP, Status: state.NotScanned, Reason: state.NotInWindow}}
		if i == 1 {
			h.Coverage = []state.Coverage{{Protocol: state.TCP, Status: state.Silent, Reason: state.NoAnswer}}
		}
		now.Hosts = append(now.Hosts, h)
	}
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.xml"), filepath.Join(dir, "b.xml")
	for file, report := range map[string]state.Report{a: was, b: now} {
		if err := writeFile(file, writerOf(report)); err != nil {
			t.Fatal(err)
		}
	}
	told, code := ndiff(t, a, b)
	if code != 1 || strings.Count(told, "+Host is unknown.") != 1 {
		t.Errorf("ndiff ends with %d and tells\n%s", code, told)
	}
	if before, after := valid(t, a), valid(t, b); !strings.Contains(before, "<td>tcp</td>") || strings.Contains(after, "<td>tcp</td>") {
		t.Errorf("nmap's style sheet shows ports of hosts that were not scanned, or none at all:\n%s", after)
	}
	text, _ := os.ReadFile(b)
	if !strings.Contains(string(text), `timedout="true" comment="not scanned: outside of its scan window"`) || strings.Contains(string(text), "portid") {
		t.Errorf("%s", text)
	}
	c, err := diffFiles(a, b)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range c.Changes {
		t.Errorf("OwnMap's diff concludes %s of %s from what was not looked at", change.Kind, change.Label())
	}
}

func writerOf(r state.Report) func(w io.Writer) error {
	return func(w io.Writer) error { return export.NmapXML(w, r) }
}
