package email

import (
	"fmt"
	"strings"

	"ownmap/pipeline/state"
)

// mostRows is more rows than there is ever room for, so that no more are made.
const mostRows = 320

// The titles of sections that a reminder turns round.
const (
	titleChanges    = "What changed"
	titleUnapproved = "What awaits approval"
)

// sections makes the parts of a mail.
type sections struct {
	report  state.Report
	links   Links
	to      state.MessageLinks
	review  string              // link
	changed []state.HostChanges // the first of them
	waiting []state.HostReport  // those that wait longest
	told    []state.Finding     // disagreements, the worst first
	odd     []state.Finding     // other findings
	hosts   map[int64]*state.HostReport
}

func sectionsOf(r state.Report, links Links, to state.MessageLinks, told []state.Finding) *sections {
	s := &sections{report: r, links: links, to: to, review: state.WebLink(to.Review), told: told, hosts: make(map[int64]*state.HostReport)}
	if !r.Run.Baseline {
		s.changed, s.waiting = state.FoldFirst(r.Changes, mostRows), r.LongestWaiting(mostRows)
	}
	for _, f := range r.Findings {
		if !f.Kind.Disagreement() {
			s.odd = append(s.odd, f)
		}
	}
	s.find()
	return s
}

// find looks up the hosts that may be shown: they are few, whatever the report.
func (s *sections) find() {
	for _, h := range s.changed {
		s.hosts[h.HostID] = nil
	}
	for i := range s.waiting {
		s.hosts[s.waiting[i].ID] = nil
	}
	for _, a := range s.report.Voided[:min(mostRows, len(s.report.Voided))] {
		s.hosts[a.HostID] = nil
	}
	for _, list := range [][]state.Finding{s.told, s.odd} {
		for i := range list[:min(mostRows, len(list))] {
			s.hosts[list[i].HostID] = nil
		}
	}
	delete(s.hosts, 0) // of no database
	for i := range s.report.Hosts {
		h := &s.report.Hosts[i]
		if _, wanted := s.hosts[h.ID]; wanted {
			s.hosts[h.ID] = h
		}
	}
}

// changes is what changed, the most severe first, folded by host.
func (s *sections) changes(counts string) *section {
	part := &section{Title: titleChanges, total: len(s.report.Changes), nouns: "changes", share: 34}
	switch {
	case s.report.Run.Baseline:
		part.Lead = []string{"This is the baseline: the state that later runs are compared with."}
		part.total = 0
		return part
	case part.total == 0:
		part.Lead = []string{"Nothing changed."}
		return part
	}
	part.Lead = []string{counts + ". Signs: + came, − went, ~ became different."}
	for _, folded := range s.changed {
		g := group{Host: say(folded.Label, longLabel), Link: s.hostLink(folded.HostID), About: s.owner(folded.HostID)}
		for _, c := range folded.Changes {
			g.Rows = append(g.Rows, s.change(c))
		}
		part.all = append(part.all, g)
	}
	return part
}

func (s *sections) change(c state.Change) row {
	r := row{Sign: strings.ReplaceAll(c.Kind.Sign(), "-", "−"), Words: c.Kind.Words(), Detail: say(c.Detail(), longDetail), Tag: string(c.Kind.Severity()), TagClass: string(c.Kind.Severity())}
	switch c.Kind.Sign() {
	case "+":
		r.Class = "came"
	case "-":
		r.Class = "went"
	default:
		r.Class = "differs"
	}
	if !c.OfPort() {
		r.Name, r.Words = r.Words, ""
		return r
	}
	r.Name = say(c.Port.String(), 20)
	if s.waits(c.HostID, c.Port) {
		r.Approve = s.to.ToApprove(c.HostID, c.Port)
	}
	return r
}

// waits says whether a port of a host awaits approval.
func (s *sections) waits(host int64, port state.Port) bool {
	h := s.hosts[host]
	if h == nil {
		return false
	}
	for i := range h.Ports {
		if h.Ports[i].Port == port {
			return h.Ports[i].Unapproved()
		}
	}
	return false
}

// unapprovedOf returns the ports of a host that await approval.
func (s *sections) unapprovedOf(host int64) (ports []state.Port) {
	if h := s.hosts[host]; h != nil {
		for i := range h.Ports {
			if h.Ports[i].Unapproved() {
				ports = append(ports, h.Ports[i].Port)
			}
		}
	}
	return ports
}

// owner says whose a host is; it is empty where nobody says.
func (s *sections) owner(host int64) string {
	if h := s.hosts[host]; h != nil {
		return say(h.Owner, longOwner)
	}
	return ""
}

func (s *sections) hostLink(host int64) string {
	if host == 0 || s.links.Host == nil {
		return ""
	}
	return state.WebLink(s.links.Host(host))
}

// voided is the approvals that no longer hold.
func (s *sections) voided() *section {
	if len(s.report.Voided) == 0 {
		return nil
	}
	part := &section{Title: "Approvals that ended", total: len(s.report.Voided), nouns: "approvals", share: 8}
	var g group
	for _, a := range s.report.Voided[:min(mostRows, part.total)] {
		name := ""
		if h := s.hosts[a.HostID]; h != nil {
			name = h.Name()
		}
		detail := fmt.Sprintf("was approved %s on %s", a.ByAuthor(), a.GrantedAt.Format("2006-01-02"))
		if a.Reason != "" {
			detail += ": " + a.Reason
		}
		g.Rows = append(g.Rows, row{
			Sign: "!", Class: "waits", Name: say(state.Label(name, a.Address)+" "+a.Port.String(), longLabel+20), Words: ended(a.EndReason), Detail: say(detail, longDetail),
		})
	}
	part.all = []group{g}
	return part
}

// ended says why an approval ended.
func ended(reason state.EndReason) string {
	switch reason {
	case state.EndedDrifted:
		return "something else listens than what was approved"
	case state.EndedExpired:
		return "its time is over"
	case state.EndedRevoked:
		return "revoked"
	case state.EndedRule:
		return "the rule is gone, or does not match any more"
	case state.EndedSuperseded:
		return "approved anew"
	}
	return "ended"
}
