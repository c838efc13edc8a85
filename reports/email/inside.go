package email

import (
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// disagreements is where the views from outside and from inside do not agree, the worst
// first; what is only for the record is counted.
func (s *sections) disagreements(record []string) *section {
	if len(s.told)+len(record) == 0 {
		return nil
	}
	part := &section{Title: "Where outside and inside do not agree", total: len(s.told), nouns: "disagreements", share: 12}
	part.Tail, _ = lines(record, 10, "")
	for i := range part.Tail {
		part.Tail[i] += "."
	}
	part.all = s.found(s.told)
	return part
}

// findings is what is odd about whole hosts.
func (s *sections) findings() *section {
	if len(s.odd) == 0 {
		return nil
	}
	return &section{Title: "Findings", total: len(s.odd), nouns: "findings", share: 3, all: s.found(s.odd)}
}

// found makes rows of findings; those of a host that follow one another share its name.
func (s *sections) found(findings []state.Finding) []group {
	var groups []group
	for i, f := range findings[:min(mostRows, len(findings))] {
		if i == 0 || f.Address != findings[i-1].Address || f.Vantage != findings[i-1].Vantage || f.Label() != findings[i-1].Label() {
			groups = append(groups, group{Host: say(f.Label(), longLabel), Link: s.hostLink(f.HostID), About: s.owner(f.HostID)})
		}
		r := row{Sign: "!", Class: "waits", Name: f.Kind.Words(), Detail: say(f.Says(), longDetail), Tag: string(f.Weight()), TagClass: string(f.Weight())}
		if f.OfPort() {
			r.Name, r.Words = say(f.Port.String(), 20), f.Kind.Words()
		}
		switch {
		case f.New:
			r.Tag += ", new"
		case !f.First.IsZero():
			r.Tag += ", since " + f.First.Format(time.DateOnly)
		}
		g := &groups[len(groups)-1]
		g.Rows = append(g.Rows, r)
	}
	return groups
}

// elsewhere is the ports that are not the same from every vantage.
func (s *sections) elsewhere() *section {
	all := s.report.Elsewhere
	if len(all) == 0 {
		return nil
	}
	part := &section{Title: "Not the same from every vantage", total: len(all), nouns: "ports", share: 3}
	var g group
	for _, e := range all[:min(mostRows, len(all))] {
		g.Rows = append(g.Rows, row{Sign: "~", Class: "differs", Name: say(state.Label(e.Name, e.Address)+" "+e.Port.String(), longLabel+20), Detail: say(e.Words(), longDetail)})
	}
	part.all = []group{g}
	return part
}

// flaps is the ports that were not what they seemed at first.
func (s *sections) flaps() *section {
	all := s.report.Flaps
	if len(all) == 0 {
		return nil
	}
	part := &section{Title: "Flapping", Lead: []string{"Not what they seemed at first: no changes, and no alarm."}, total: len(all), nouns: "ports", share: 3}
	var g group
	for _, f := range all[:min(mostRows, len(all))] {
		g.Rows = append(g.Rows, row{Sign: "~", Class: "differs", Name: say(f.Label()+" "+f.Port.String(), longLabel+20), Detail: say(f.Words(), longDetail)})
	}
	part.all = []group{g}
	return part
}

// inside is how many hosts were looked inside, and why the others were not.
func (s *sections) inside() *section {
	words := s.report.InsideWords()
	if words == "" {
		return nil
	}
	all := s.report.InsideGaps
	part := &section{Title: "Looked inside", Lead: []string{say(words, longNote)}, total: len(all), nouns: "hosts", share: 3}
	var g group
	for _, gap := range all[:min(mostRows, len(all))] {
		r := row{Sign: "?", Class: "waits", Name: say(gap.Label, longLabel), Words: "not looked inside: " + say(gap.Reason, longWords), Detail: say(gap.Remedy(), longDetail), Tag: "never before"}
		if gap.Since != nil {
			r.Tag = "last " + gap.Since.Format(time.DateOnly)
		}
		g.Rows = append(g.Rows, r)
	}
	if len(g.Rows) > 0 {
		part.all = []group{g}
	}
	return part
}

// coverage is who was looked at, and of whom this run says nothing new.
func (s *sections) coverage() *section {
	all := s.report.Gaps
	part := &section{Title: "Coverage", Lead: []string{say(s.report.CoverageWords(), longNote)}, total: len(all), nouns: "gaps", share: 6}
	if pace, _ := lines(s.report.Run.PaceWords(), 5, ""); len(pace) > 0 {
		part.Tail = pace
	}
	if len(all) == 0 {
		return part
	}
	part.Lead = append(part.Lead, "What is known of these hosts is kept; nothing of them counts as closed.")
	var g group
	for _, gap := range all[:min(mostRows, len(all))] {
		r := row{Sign: "?", Class: "waits", Name: say(gap.Label, longLabel), Words: say(string(gap.Protocol)+" "+strings.ReplaceAll(string(gap.Status), "_", " ")+": "+gap.Reason, longWords), Tag: "never answered"}
		if gap.Since != nil {
			r.Tag = "last answered " + gap.Since.Format(time.DateOnly)
		}
		if gap.Open > 0 {
			r.Detail = state.Count(gap.Open, "open port", "open ports") + " kept"
		}
		g.Rows = append(g.Rows, r)
	}
	part.all = []group{g}
	return part
}

// notes is what else a reader should know of the run.
func notes(run state.Run) *section {
	if len(run.Notes) == 0 && run.Error == "" {
		return nil
	}
	part := &section{Title: "Notes"}
	texts, more := lines(run.Notes, 15, "notes")
	part.Lead = texts
	if more != "" {
		part.Lead = append(part.Lead, more)
	}
	if run.Error != "" {
		part.Lead = append(part.Lead, "Error: "+say(run.Error, longNote))
	}
	return part
}
