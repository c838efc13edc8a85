package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"ownmap/pipeline/intake/legacy"
	"ownmap/pipeline/load"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
)

// legacySource returns where a legacy database is that an argument names: as an address, or
// by the config of the OwnMap that kept it. The content of a file says what it is.
func legacySource(arg string) (at string, found bool, err error) {
	if strings.HasPrefix(arg, "postgres://") || strings.HasPrefix(arg, "postgresql://") {
		return arg, true, nil
	}
	file, err := os.Open(arg)
	if err != nil {
		return "", false, nil // whoever reads it as a scan says what is wrong
	}
	defer func() { _ = file.Close() }()
	const most = 64 << 10 // bytes; such a config has some hundred
	text, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil || len(text) > most || !strings.Contains(string(text), "postgresql") {
		return "", false, nil
	}
	if at, found, err = legacy.Config(text); err != nil {
		err = fmt.Errorf("%s: %w", arg, err)
	}
	return at, found, err
}

// importLegacy imports a legacy database: what it knows becomes a run, its targets become
// targets, and what was approved there is approved here.
func (a *app) importLegacy(ctx context.Context, config load.Config, at string, made time.Time, o importOptions) error {
	database, err := legacy.Read(ctx, at, o.vantage, made)
	if err != nil {
		return err
	}
	return a.withConfig(ctx, config, func(h *house) error {
		for _, line := range database.Lost {
			fmt.Fprintln(a.stdout, line)
		}
		if err := a.importLegacyTargets(ctx, h, database.Targets); err != nil {
			return err
		}
		if len(database.Scan.Hosts) == 0 {
			_, err := fmt.Fprintln(a.stdout, "no host is in it: nothing became a run")
			return err
		}
		run, err := a.importLegacyRun(ctx, h, database.Scan)
		var again *persist.ImportedError
		if err != nil && !errors.As(err, &again) {
			return err
		}
		if again != nil {
			fmt.Fprintf(a.stdout, "%s was imported before, as run %d\n", database.Scan.File, again.Run.ID)
		} else {
			fmt.Fprintf(a.stdout, "run %d of %s: %s\n", run.ID, run.StartedAt.Format("2006-01-02 15:04"), database.Scan.File)
		}
		return a.approveLegacy(ctx, h, database)
	})
}

func (a *app) importLegacyTargets(ctx context.Context, h *house, targets []state.Target) error {
	if len(targets) == 0 {
		return nil
	}
	added, warnings, err := h.desk().AddTargets(ctx, targets, state.Actor{Name: a.author(), Via: "cli"})
	if err != nil {
		return err
	}
	for _, warning := range warnings {
		fmt.Fprintln(a.stderr, "ownmap: warning: "+warning)
	}
	return a.printCount(added, "target added", "targets added")
}

func (a *app) importLegacyRun(ctx context.Context, h *house, scan state.ImportedScan) (state.Run, error) {
	release, err := h.book.Lock(ctx)
	if err != nil {
		return state.Run{}, err
	}
	defer release()
	importer := h.book.Importer()
	run, err := importer.Add(ctx, scan)
	var older *persist.OlderError
	if errors.As(err, &older) {
		return run, &olderFilesError{[]error{fmt.Errorf("%s is not imported, but for its targets: %w", scan.File, err)}}
	}
	if err != nil {
		return run, err
	}
	if err := importer.End(ctx); err != nil {
		return run, err
	}
	return run, h.archiveImported(ctx, run)
}

// approveLegacy approves what was approved in a legacy database, where nobody ever decided
// about it here: an approval that was revoked since does not come back.
func (a *app) approveLegacy(ctx context.Context, h *house, database legacy.Database) error {
	approved := 0
	for address, ports := range database.Approved {
		history, err := h.book.HistoryOf(ctx, address, database.Scan.Vantage)
		if err != nil {
			return err
		}
		ports = slices.DeleteFunc(slices.Clone(ports), func(p state.Port) bool {
			decided := slices.ContainsFunc(history.Events, func(e state.Event) bool { return e.Approval != nil && e.Approval.Port == p })
			open := slices.ContainsFunc(history.Ports, func(r state.PortReport) bool { return r.Port == p && r.State == state.Open })
			return decided || !open
		})
		if len(ports) == 0 {
			continue
		}
		given, err := h.book.Approve(ctx, legacyGrant(address, ports, a.author()))
		if err != nil {
			return err
		}
		approved += len(given)
	}
	return a.printCount(approved, "port approved, as it was there", "ports approved, as they were there")
}

func legacyGrant(address netip.Addr, ports []state.Port, by string) state.Grant {
	return state.Grant{
		Scope: state.Scope{Hosts: []string{address.String()}, Ports: ports}, By: by, Via: "cli", Reason: "approved in the legacy OwnMap",
	}
}
