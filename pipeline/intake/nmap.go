package intake

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/scan"
	"ownmap/pipeline/state"
)

// reader reads one file after the other: what the next one says of a host just as the last
// one did is kept once.
type reader struct {
	options Options
	before  scan.Document
}

// read reads a file that was surveyed. It fails when the file is not what it was then.
func (r *reader) read(file File) (state.ImportedScan, error) {
	c, err := openFile(file.Path)
	if err != nil {
		return state.ImportedScan{}, err
	}
	defer func() { _ = c.Close() }()
	var s state.ImportedScan
	if file.Format == FormatNmap {
		s, err = r.nmap(c)
	} else {
		s, err = foundScan(c)
	}
	if err != nil {
		return s, err
	}
	sum, err := c.total()
	if err != nil {
		return s, err
	}
	if sum != file.SHA256 {
		return s, errors.New("it was changed while it was being imported: import it again")
	}
	s.StartedAt, s.FinishedAt = file.Start, file.End
	s.File, s.SHA256, s.Vantage = file.Name, file.SHA256, cmp.Or(r.options.Vantage, state.DefaultVantage)
	s.Hosts = slices.Clone(s.Hosts)
	for i := range s.Hosts {
		h := &s.Hosts[i]
		h.Vantage = s.Vantage
		if len(h.Ports) > 1000 { // Unmask changes what the next file is compared with
			h.Coverage = slices.Clone(h.Coverage)
		}
		if note := scan.Unmask(h); note != "" {
			s.Notes = append(s.Notes, note)
		}
	}
	origin := fmt.Sprintf("imported from %s, which %s wrote", s.File, s.Program)
	if s.Args != "" {
		origin += ": " + s.Args
	}
	s.Notes = append([]string{state.Clean(origin)}, s.Notes...)
	return s, nil
}

// nmap reads an XML file.
func (r *reader) nmap(c *content) (state.ImportedScan, error) {
	doc, err := scan.ReadAfter(c, "", r.before)
	if err != nil {
		return state.ImportedScan{}, unnamed(err)
	}
	r.before = doc
	s := state.ImportedScan{
		StartedAt: doc.Start, FinishedAt: doc.Finished, Hosts: doc.Hosts, PortNames: doc.PortNames, Args: doc.Args,
	}
	s.Question = diff.Asked{Args: doc.Args, Total: doc.Total}.Question()
	s.Program = strings.TrimSpace(cmp.Or(doc.Program, "nmap") + " " + doc.Version)
	if doc.Program == "nmap" {
		s.Scanner = state.Scanner{Version: doc.Version, Privileged: doc.Privileged}
	}
	return s, nil
}

// foundScan reads the JSON of masscan or naabu.
func foundScan(c *content) (state.ImportedScan, error) {
	found, err := readFindings(c)
	if err != nil {
		return state.ImportedScan{}, err
	}
	return state.ImportedScan{
		Hosts: found.Hosts, Import: state.Import{Program: found.Program},
		Notes: []string{"it tells of open ports alone: no port is closed by it"},
	}, nil
}
