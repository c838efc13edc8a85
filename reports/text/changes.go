package text

import "ownmap/pipeline/state"

// changes adds what changed, folded by host, the most severe first:
//
//	web-1.example.org (10.20.0.11)
//	  + 8080/tcp  port opened  http nginx 1.22.1  high
func (p *page) changes(changes []state.Change) {
	t := table{indent: "  ", columns: []column{{}, {}, {}, {floor: 24}, {}}}
	for _, host := range state.FoldByHost(changes) {
		t.heading(span{host.Label, bold})
		for _, c := range host.Changes {
			severity := c.Kind.Severity()
			t.add(span{c.Kind.Sign(), signStyle(c.Kind)}, span{portOf(c), plain}, span{c.Kind.Words(), plain},
				span{c.Detail(), plain}, span{string(severity), severityStyle(severity)})
		}
	}
	t.write(p)
}

func signStyle(k state.Kind) style {
	switch k.Sign() {
	case "+":
		return green
	case "-":
		return red
	}
	return yellow
}

func severityStyle(s state.Severity) style {
	switch s {
	case state.Critical, state.High:
		return red
	case state.Medium:
		return yellow
	case state.Low:
		return plain
	case state.Info:
		return dim
	}
	return plain
}
