package persist

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// stageConfirmed corrects what the run has staged by what a confirm shard saw. Of
// each port that was asked again:
//
//   - opened and open again, or closed and not open again: it stays as staged, and
//     will be a change;
//   - proved to be as it was known: it is staged so, and is a flap;
//   - not settled either way: it is taken out of what was looked at, so that
//     nothing follows from this run.
//
// A host that was silent and answers now has answered, for the ports that were
// settled; one that could not be asked again was not scanned.
func stageConfirmed(ctx context.Context, tx pgx.Tx, q *queries.Queries, result state.ShardResult) error {
	k, err := knownOf(ctx, q, result.Shard)
	if err != nil {
		return err
	}
	c := confirming{knowledge: k, lines: make(map[hostProtocol]*stagedLine)}
	if err := c.readLines(ctx, q, result.Shard.RunID); err != nil {
		return err
	}
	seen := make(map[netip.Addr]state.Host, len(result.Hosts))
	for _, h := range result.Hosts {
		seen[h.Address] = h
	}
	for _, asked := range result.Shard.Hosts {
		if at, known := k.hosts[asked.Address]; known {
			c.host(at.ID, asked, seen[asked.Address])
		}
	}
	return c.write(ctx, tx, q, result.Shard)
}

// confirming is a confirm shard's result on its way into the stage.
type confirming struct {
	knowledge
	lines map[hostProtocol]*stagedLine

	restored []state.Host // their ports are to be staged
	dropped  []hostPort   // not to be staged any more
	doubts   []doubted
}

type hostProtocol struct {
	host     int64
	protocol state.Protocol
}

type hostPort struct {
	host int64
	port state.Port
}

// doubted is a row of stage_doubt.
type doubted struct {
	hostPort
	saw     state.PortState
	settled bool
}

// stagedLine is what the run looked at of a host over a protocol.
type stagedLine struct {
	state.Coverage
	moved bool // is to be written
}

func (c *confirming) readLines(ctx context.Context, q *queries.Queries, run int64) error {
	ids := make([]int64, 0, len(c.hosts))
	for _, h := range c.hosts {
		ids = append(ids, h.ID)
	}
	rows, err := q.StagedLines(ctx, queries.StagedLinesParams{RunID: run, VantageID: c.vantage, Hosts: ids})
	if err != nil {
		return fmt.Errorf("read staged hosts: %w", err)
	}
	sets := make([]int64, 0, 2*len(rows))
	for _, row := range rows {
		sets = append(sets, row.PortSetID, setOf(row.FilteredSet))
	}
	of, err := portSets(ctx, q, sets)
	if err != nil {
		return err
	}
	for _, row := range rows {
		line := &stagedLine{Coverage: state.Coverage{
			Protocol: state.Protocol(row.Protocol), Status: state.CoverageStatus(row.Status), Reason: row.Reason, Ports: of[row.PortSetID],
		}}
		tell(&line.Coverage, row.FilteredSet, of)
		c.lines[hostProtocol{row.HostID, state.Protocol(row.Protocol)}] = line
	}
	return nil
}

// host corrects one host; now is what the confirm shard saw of it, the zero Host
// for nothing.
func (c *confirming) host(id int64, asked state.ShardHost, now state.Host) {
	was, staged := portsOf(c.ports[id]), portsOf(c.staged[id])
	restored := state.Host{Address: asked.Address}
	for _, port := range asked.Ask {
		if (port == state.Port{}) {
			restored.Ports = append(restored.Ports, c.returned(id, staged, now)...)
			continue
		}
		if status, back := c.port(hostPort{id, port}, was[port], staged[port], now); back {
			restored.Ports = append(restored.Ports, status)
		}
	}
	if len(restored.Ports) > 0 {
		c.restored = append(c.restored, restored)
	}
}

func portsOf(list []state.PortStatus) map[state.Port]state.PortStatus {
	ports := make(map[state.Port]state.PortStatus, len(list))
	for _, p := range list {
		ports[p.Port] = p
	}
	return ports
}

// port corrects one port; back says that it is to be staged as returned.
func (c *confirming) port(at hostPort, was, staged state.PortStatus, now state.Host) (status state.PortStatus, back bool) {
	seen, _ := now.Find(at.port)
	open, settled := seen.State == state.Open, now.Covered(at.port.Protocol).Conclusive(at.port)
	switch {
	case (staged.State == state.Open) == (was.State == state.Open): // no candidate
		return status, false
	case open == (staged.State == state.Open) && (open || settled): // confirmed
		if refused := now.Covered(at.port.Protocol); !open && refused.Apart && !refused.Filtered.Contains(at.port.Number) {
			c.refuse(at)
		}
		return status, false
	case open: // was open all the time
		if !seen.Service.Probed && was.Service.Name != "" {
			seen.Service = was.Service
		}
		c.doubt(at, staged.State, true)
		c.drop(at, staged)
		return seen, true
	}
	if settled = settled && staged.State == state.Open; !settled {
		c.uncover(at)
	}
	c.doubt(at, staged.State, settled)
	if staged.State != state.Open {
		return status, false
	}
	c.drop(at, staged)
	return was, was.State != "" // open|filtered as before
}

func (c *confirming) doubt(at hostPort, saw state.PortState, settled bool) {
	c.doubts = append(c.doubts, doubted{at, saw, settled})
}

func (c *confirming) drop(at hostPort, staged state.PortStatus) {
	if staged.State != "" {
		c.dropped = append(c.dropped, at)
	}
}

// uncover takes a port out of what was looked at.
func (c *confirming) uncover(at hostPort) {
	if line := c.lines[hostProtocol{at.host, at.port.Protocol}]; line != nil && line.Ports.Contains(at.port.Number) {
		line.Ports, line.moved = line.Ports.Without(state.PortsOf(at.port.Number)), true
	}
}

// refuse notes that a port which had given no answer is closed.
func (c *confirming) refuse(at hostPort) {
	if line := c.lines[hostProtocol{at.host, at.port.Protocol}]; line != nil && line.Filtered.Contains(at.port.Number) {
		line.Filtered, line.moved = line.Filtered.Without(state.PortsOf(at.port.Number)), true
	}
}

// returned corrects a host that was silent, and returns its ports that are to be
// staged.
func (c *confirming) returned(id int64, staged map[state.Port]state.PortStatus, now state.Host) []state.PortStatus {
	var ports []state.PortStatus
	switch now.Status() {
	case state.Silent:
		return nil
	case state.NotScanned:
		reason := state.ScanFailed
		if len(now.Coverage) > 0 {
			reason = cmp.Or(now.Coverage[0].Reason, reason)
		}
		for key, line := range c.lines {
			if key.host == id && line.Status == state.Silent {
				line.Coverage = state.Coverage{Protocol: line.Protocol, Status: state.NotScanned, Reason: reason}
				line.moved = true
			}
		}
		return nil
	case state.Answered:
	}
	for _, cover := range now.Coverage {
		line := c.lines[hostProtocol{id, cover.Protocol}]
		if line == nil || line.Status == state.Answered || cover.Status != state.Answered {
			continue
		}
		line.Coverage, line.moved = cover, true
		c.doubt(hostPort{id, state.Port{Protocol: cover.Protocol}}, "", false)
		for _, p := range now.Ports {
			if _, already := staged[p.Port]; p.Protocol == cover.Protocol && !already {
				ports = append(ports, p)
			}
		}
	}
	return ports
}
