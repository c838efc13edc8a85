package persist

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"ownmap/pipeline/state"
)

// KnownReport returns what was known after a run of the hosts of the inventory, of one
// vantage or (empty) of all, in the form of a report on that run: as if one scan had seen all
// of it. A host that was up has the coverage of its last answer, and answered for every port
// that is known of it; one that was down was silent. It fails with a NoRunError as Report does.
func (b *Book) KnownReport(ctx context.Context, runID int64, vantage string) (state.Report, error) {
	var report state.Report
	err := b.at(ctx, runID, func(v *view) error {
		row, err := keptRun(ctx, v.q, runID)
		if err != nil {
			return err
		}
		if report.Run, err = reportedRun(row); err != nil {
			return err
		}
		wanted, err := v.inventoryScope(ctx)
		if err != nil {
			return err
		}
		for id := range wanted {
			if vantage != "" && v.vantages[id] != vantage {
				delete(wanted, id)
			}
		}
		if report.PortNames, err = v.portNames(ctx); err != nil {
			return err
		}
		return v.batches(ctx, wanted, func(hosts []*standing) error {
			for _, h := range hosts {
				h.recall()
			}
			if err := v.addForExport(ctx, hosts); err != nil {
				return err
			}
			report.Hosts = append(report.Hosts, reports(hosts)...)
			return nil
		})
	})
	if err != nil {
		return state.Report{}, fmt.Errorf("what was known after run %d: %w", runID, err)
	}
	return report, nil
}

// recall puts the coverage of the last answers in the place of that of the last run.
func (h *standing) recall() {
	if h.State != state.Up {
		h.Ports, h.Coverage = nil, []state.Coverage{{Protocol: state.TCP, Status: state.Silent, Reason: state.NoAnswer}}
		return
	}
	h.Coverage = h.last
	for i := range h.Ports {
		p := &h.Ports[i]
		p.StaleSince = nil
		if at := slices.IndexFunc(h.Coverage, func(c state.Coverage) bool { return c.Protocol == p.Protocol }); at < 0 {
			h.Coverage = append(h.Coverage, state.Coverage{Protocol: p.Protocol, Status: state.Answered, Ports: state.PortsOf(p.Number)})
		}
	}
	if len(h.Coverage) == 0 {
		h.Coverage = []state.Coverage{{Protocol: state.TCP, Status: state.Answered}}
	}
	slices.SortFunc(h.Coverage, func(a, b state.Coverage) int { return cmp.Compare(a.Protocol, b.Protocol) })
}
