package text

import (
	"io"

	"ownmap/pipeline/state"
)

// LinkKeys writes the keys that sign links to approve, in the order given.
func LinkKeys(w io.Writer, list []state.LinkKey, options Options) error {
	p := &page{options: options}
	if len(list) == 0 {
		p.line(span{"there are no keys yet: the first message with links makes one", plain})
		return p.writeTo(w)
	}
	t := table{columns: []column{{title: "KEY"}, {title: "MADE"}, {title: "STATE"}, {title: "MESSAGES", right: true}}}
	for _, k := range list {
		is := span{"signs new links", green}
		if k.Until != nil {
			is = span{"old, kept until " + minute(*k.Until), dim}
		}
		t.add(span{k.Name, bold}, span{minute(k.Made), plain}, is, span{number(k.Messages), plain})
	}
	t.write(p)
	return p.writeTo(w)
}
