package intake

import (
	"context"
	"slices"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/state"
)

// Series makes runs of files, in the order in which Survey returns them. told is called after
// each with the run, or with what is wrong; when it returns an error, that is the end. While
// one file is being kept, the next is read.
func Series(ctx context.Context, keeper Keeper, files []File, o Options, told func(File, state.Run, error) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	type reading struct {
		file File
		scan state.ImportedScan
		err  error
	}
	readings := make(chan reading)
	go func() {
		defer close(readings)
		r := reader{options: o}
		for _, file := range files {
			scan, err := r.read(file)
			if err != nil {
				err = &FileError{file.Path, err}
			}
			select {
			case readings <- reading{file, scan, err}:
			case <-ctx.Done():
				return
			}
		}
	}()
	a := absence{keeper: keeper, rosters: map[string][]state.Host{}}
	for r := range readings {
		var run state.Run
		if r.err == nil {
			run, r.err = a.add(ctx, r.scan)
		}
		if err := told(r.file, run, r.err); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// absence knows which hosts were asked for before by scans that asked the same, for nmap does
// not name those that do not answer.
type absence struct {
	keeper  Keeper
	rosters map[string][]state.Host // by question, sorted
}

// add makes a run of a scan, with the hosts that it does not mention and that were asked.
func (a *absence) add(ctx context.Context, scan state.ImportedScan) (state.Run, error) {
	question := questionHash(scan.Vantage, scan.Question)
	scan.Question = question
	if question == "" {
		return a.keeper.Add(ctx, scan)
	}
	before, known := a.rosters[question]
	if !known {
		var err error
		if before, err = a.keeper.AskedBefore(ctx, scan.Vantage, question); err != nil {
			return state.Run{}, err
		}
	}
	missing := diff.Missing(before, scan.Hosts, true)
	roster := slices.Clone(scan.Hosts)
	for _, h := range missing {
		if h.Status() == state.Silent {
			scan.Hosts = append(scan.Hosts, h)
			roster = append(roster, h)
		} else { // its name is that of another address now
			scan.Left = append(scan.Left, h.Address)
		}
	}
	state.SortHosts(scan.Hosts)
	state.SortHosts(roster)
	run, err := a.keeper.Add(ctx, scan)
	if err == nil {
		a.rosters[question] = slim(roster)
	}
	return run, err
}

// slim leaves out of hosts what a roster does not need.
func slim(hosts []state.Host) []state.Host {
	for i, h := range hosts {
		hosts[i] = state.Host{Vantage: h.Vantage, Address: h.Address, Names: h.Names, State: h.State}
		for _, c := range h.Coverage {
			hosts[i].Coverage = append(hosts[i].Coverage, state.Coverage{Protocol: c.Protocol, Status: c.Status})
		}
	}
	return hosts
}
