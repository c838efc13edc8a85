package state

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Words says how the vantages see the port: "open from office, filtered from
// internet".
func (e Elsewhere) Words() string {
	var order []PortState
	from := map[PortState][]string{}
	for _, v := range e.Views {
		if len(from[v.State]) == 0 {
			order = append(order, v.State)
		}
		from[v.State] = append(from[v.State], v.Vantage)
	}
	slices.SortStableFunc(order, func(a, b PortState) int { return cmp.Compare(prominence(a), prominence(b)) })
	var parts []string
	for _, s := range order {
		parts = append(parts, string(cmp.Or(s, "not looked at"))+" from "+strings.Join(from[s], " and "))
	}
	return strings.Join(parts, ", ")
}

// prominence puts what is open first and what nobody looked at last.
func prominence(s PortState) int {
	switch s {
	case Open, OpenFiltered:
		return 0
	case "":
		return 2
	case Closed, Filtered, Unfiltered, ClosedFiltered:
	}
	return 1
}

// Words says what the scan saw at first: "seen closed at first, open when it was
// asked again; 3 times since 2026-11-20".
func (f Flap) Words() string {
	saw, is := string(cmp.Or(f.Saw, "not open")), "open"
	if f.Saw == Open || f.Saw == OpenFiltered {
		is = "not open"
	}
	words := "seen " + saw + " at first, " + is + " when it was asked again"
	if f.Count > 1 {
		words += fmt.Sprintf("; %d times since %s", f.Count, f.First.Format(time.DateOnly))
	}
	return words
}

// PaceWords says for each vantage how fast the links let themselves be scanned.
func (r Run) PaceWords() []string {
	var list []string
	for _, vantage := range slices.Sorted(maps.Keys(r.Pace)) {
		p := r.Pace[vantage]
		if p.Rate == 0 {
			continue
		}
		words := fmt.Sprintf("The link carried %d packets a second", p.Rate)
		if len(r.Pace) > 1 {
			words = fmt.Sprintf("The link of %s carried %d packets a second", vantage, p.Rate)
		}
		if p.Repeated > 0 {
			words += "; " + Count(p.Repeated, "part of the scan was", "parts of the scan were") + " repeated, slower"
		}
		list = append(list, words+".")
	}
	return list
}

// CoverageWords says how many hosts answered, why the others did not, and from
// when what is known of them is, as in "998 of 1000 hosts answered, 2 not scanned
// (host timeout); their 31 open ports are as of 3 days ago".
func (r Report) CoverageWords() string {
	if r.Coverage.Hosts == 0 {
		return "No host was asked."
	}
	var words strings.Builder
	fmt.Fprintf(&words, "%d of %s answered", r.Coverage.Answered, Count(r.Coverage.Hosts, "host", "hosts"))
	type cause struct {
		status CoverageStatus
		reason string
	}
	hosts, causes := map[cause]int{}, map[string]bool{}
	open, oldest, newest := 0, time.Duration(0), time.Duration(1<<62)
	for _, g := range r.Gaps {
		if !causes[g.Label] { // once for both protocols
			causes[g.Label] = true
			hosts[cause{g.Status, g.Reason}]++
		}
		open += g.Open
		if g.Open > 0 && g.Since != nil {
			age := r.Run.StartedAt.Sub(*g.Since)
			oldest, newest = max(oldest, age), min(newest, age)
		}
	}
	order := slices.SortedFunc(maps.Keys(hosts), func(a, b cause) int {
		return cmp.Or(cmp.Compare(hosts[b], hosts[a]), cmp.Compare(a.status, b.status), cmp.Compare(a.reason, b.reason))
	})
	for _, c := range order {
		fmt.Fprintf(&words, ", %d %s (%s)", hosts[c], strings.ReplaceAll(string(c.status), "_", " "), c.reason)
	}
	if open > 0 {
		words.WriteString("; their " + Count(open, "open port is", "open ports are") + " as of " + ago(newest, oldest))
	}
	return words.String() + "."
}

// ago says how long ago something was, or between when and when.
func ago(newest, oldest time.Duration) string {
	days := func(d time.Duration) int { return int((d + 12*time.Hour) / (24 * time.Hour)) }
	switch from, to := days(newest), days(oldest); {
	case oldest < 24*time.Hour:
		return "less than a day ago"
	case from == to || from == 0:
		return Count(to, "day", "days") + " ago"
	default:
		return fmt.Sprintf("%d to %d days ago", from, to)
	}
}
