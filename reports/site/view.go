package site

import (
	"net/netip"
	"strings"

	"ownmap/pipeline/state"
	"ownmap/templates/piece"
)

// links makes the links of a page. An empty root is that of a standalone page,
// which has none.
type links struct {
	root string
	none bool
}

func (l links) host(label string, id int64) piece.Link {
	return piece.Link{Label: label, Link: l.hostPage(id, netip.Addr{})}
}

// hostPage is a piece.Hosts.
func (l links) hostPage(id int64, _ netip.Addr) string {
	if id == 0 || l.none {
		return ""
	}
	return l.root + hostFile(id)
}

func (l links) run(id int64) string {
	if id == 0 || l.none {
		return ""
	}
	return l.root + runFile(id)
}

// changeLimit is how many changes a page shows; the data files have them all.
const changeLimit = 500

func words(s state.CoverageStatus) string { return strings.ReplaceAll(string(s), "_", " ") }
