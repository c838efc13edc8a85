package text

import (
	"cmp"
	"io"
	"maps"
	"slices"
	"strings"

	"ownmap/pipeline/state"
)

// Targets writes what is scanned, and where each target was written down.
func Targets(w io.Writer, targets []state.Target, options Options) error {
	p := &page{options: options}
	if len(targets) == 0 {
		p.line(span{"no targets", plain})
		return p.writeTo(w)
	}
	t := table{columns: []column{{title: "TARGET"}, {title: "EXCLUDED", floor: 8}, {title: "PROFILE"}, {title: "TAGS", floor: 8}, {title: "OWNER", floor: 8}, {title: "SSH", floor: 8}, {title: "ORIGIN", floor: 6}}}
	for _, target := range targets {
		ssh := ""
		if target.SSH != (state.TargetSSH{}) {
			ssh = target.SSH.String()
		}
		excluded := make([]string, 0, len(target.Exclude))
		for _, e := range target.Exclude {
			excluded = append(excluded, e.String())
		}
		t.add(span{target.Spec.String(), bold}, span{strings.Join(excluded, " "), plain}, span{cmp.Or(target.Profile, state.DefaultProfile), plain},
			span{strings.Join(target.Tags, " "), plain}, span{target.Owner, plain}, span{ssh, plain}, span{cmp.Or(target.Where, string(target.Origin)), dim})
	}
	t.write(p)
	return p.writeTo(w)
}

// Approvals writes what an approve or revoke did; verb is its past tense.
func Approvals(w io.Writer, verb string, approvals []state.Approval, options Options) error {
	p := &page{options: options}
	p.line(span{verb + " " + state.Count(len(approvals), "port", "ports"), bold})
	t := table{indent: "  ", columns: []column{{}, {}, {floor: 8}, {floor: 16}}}
	for _, a := range approvals {
		until := ""
		if a.Until != nil {
			until = "until " + minute(*a.Until)
		}
		bound := a.Service
		if process := a.Behind().String(); process != "" {
			bound += ", " + process
		}
		t.add(span{a.Address.String(), plain}, span{a.Port.String(), plain}, span{bound, plain}, span{until, plain})
	}
	t.write(p)
	return p.writeTo(w)
}

// Audit writes who did what to what, in the order given.
func Audit(w io.Writer, lines []state.AuditLine, options Options) error {
	p := &page{options: options}
	if len(lines) == 0 {
		p.line(span{"nobody did anything yet", plain})
		return p.writeTo(w)
	}
	t := table{columns: []column{{title: "WHEN"}, {title: "WHO", floor: 8}, {title: "VIA"}, {title: "WHAT"}, {title: "SUBJECT", floor: 16}, {title: "DETAIL", floor: 16}}}
	for _, l := range lines {
		var detail []string
		for _, key := range slices.Sorted(maps.Keys(l.Detail)) {
			if l.Detail[key] != "" {
				detail = append(detail, key+"="+l.Detail[key])
			}
		}
		t.add(span{minute(l.At), plain}, span{l.Actor, plain}, span{l.Via, dim}, span{l.Action, bold}, span{l.Subject, plain}, span{strings.Join(detail, " "), dim})
	}
	t.write(p)
	return p.writeTo(w)
}
