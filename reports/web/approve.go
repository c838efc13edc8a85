package web

import (
	"net/http"
	"net/url"
	"strings"

	"ownmap/pipeline/state"
)

// The rows of the page that asks before it approves: how many it shows, and of how many it
// remembers what it showed, so that it can tell later what has changed since.
const (
	confirmRows = 100
	shownRows   = 500
)

// maxReason is how many characters a reason may have.
const maxReason = 500

// approveView asks before it approves.
type approveView struct {
	selection
	Preview state.Preview
	Table   portTable
	More    string // how many rows are shown, where that is not all
	Owners  string // of all of them; empty: not all are shown
	Gone    int    // picked ports that are not open any more
	Reason  string
	Until   string
	Back    string
	Shown   string // what the page shows, for who sends it
	Error   string // against what was typed
	Clash   *clash
}

func (v approveView) title() string {
	return "Approve " + counted(v.Preview.Ports, "port", "ports")
}
func (approveView) section() string { return "Ports" }

// Empty says whether nothing was chosen.
func (v approveView) Empty() bool { return v.empty() }

// Ports counts what would be approved: "12 ports".
func (v approveView) Ports() string { return counted(v.Preview.Ports, "port", "ports") }

// Hosts counts where: "4 hosts".
func (v approveView) Hosts() string { return counted(v.Preview.Hosts, "host", "hosts") }

// AgainLink asks for the same, with what is approved already.
func (v approveView) AgainLink() string {
	pairs := []string{"filter", v.Filter, "again", "true", "back", v.Back, "reason", v.Reason}
	for _, pick := range v.Picks {
		pairs = append(pairs, "pick", pick)
	}
	return address("/approve", pairs...)
}

// askApprove answers with a page that shows what would be approved. It approves nothing.
func (s *server) askApprove(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	if all := query.Get("all"); all != "" { // whatever else is chosen
		query.Set("filter", all)
		query.Del("pick")
	}
	sel, err := selectionOf(query)
	if err != nil {
		return err
	}
	v := approveView{selection: sel, Reason: state.OneLine(query.Get("reason"), maxReason), Back: backTo(query.Get("back"))}
	return s.confirmApprove(w, r, http.StatusOK, v)
}

// confirmApprove shows what would be approved now.
func (s *server) confirmApprove(w http.ResponseWriter, r *http.Request, status int, v approveView) error {
	if !v.empty() {
		var err error
		// First the digest, then the rows: where something changes in between, it is that of
		// something else than is shown, and nothing is approved.
		if v.Preview, err = s.Book.Preview(r.Context(), v.scope()); err != nil {
			return err
		}
		rows, gone, err := s.selected(r.Context(), v.selection, shownRows)
		if err != nil {
			return err
		}
		v.Gone = gone
		if v.Preview.Ports <= shownRows {
			v.Shown = shownOf(rows)
		}
		if v.Clash != nil {
			v.Clash.compare(rows, v.Preview)
		}
		v.Table = s.tableOf(rows[:min(confirmRows, len(rows))], false)
		v.Table.Hosts, v.Table.Caption = true, "What is approved"
		v.Table.Columns = plainColumns(v.Table.Inside)
		if v.More = state.MoreOf(len(v.Table.Rows), v.Preview.Ports, "ports"); v.More == "" {
			v.Owners = ownersOf(rows)
		}
	}
	return s.show(w, r, status, "approve", v)
}

// plainColumns are the heads of a table of ports that cannot be sorted.
func plainColumns(inside bool) []column {
	columns := []column{{Label: "Host"}, {Label: "Port"}, {Label: "Service"}}
	if inside {
		columns = append(columns, column{Label: "Process"})
	}
	return append(columns, column{Label: "Owner"}, column{Label: "Approval"}, column{Label: "Seen since"})
}

// approve approves what its page showed.
func (s *server) approve(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	sel, err := selectionOf(r.PostForm)
	if err != nil {
		return err
	}
	v := approveView{selection: sel, Until: state.OneLine(r.PostForm.Get("until"), 40), Back: backTo(r.PostForm.Get("back"))}
	if v.Reason, err = field(r, "reason", maxReason); err != nil {
		return err
	}
	grant := state.Grant{Scope: sel.scope(), Reason: v.Reason, By: identity(r).Name, Via: "web", About: identity(r).Actor().Detail, Digest: r.PostForm.Get("digest")}
	grant.Until, err = s.until(v.Until)
	switch {
	case err != nil:
		v.Error = s.explain(r, err).Text
	case sel.empty() || grant.Digest == "":
		v.Error = "Look at what would be approved first."
	case v.Reason == "":
		v.Error = "Say why: whoever asks next year wants to know."
	}
	if v.Error != "" {
		return s.confirmApprove(w, r, http.StatusUnprocessableEntity, v)
	}
	granted, err := s.Book.Approve(r.Context(), grant)
	if err != nil {
		if f := s.explain(r, err); f.Status == http.StatusConflict {
			v.Clash = clashOf(r.PostForm)
			return s.confirmApprove(w, r, f.Status, v)
		}
		return err
	}
	return s.done(w, r, v.Back, "Approved "+portsOn(granted)+".")
}

// approveOne approves one port by its button in a table, if what is there is what the
// table showed.
func (s *server) approveOne(w http.ResponseWriter, r *http.Request) error {
	reason, err := field(r, "reason", maxReason)
	if err != nil {
		return err
	}
	text, back := r.PostFormValue("one"), backTo(r.PostFormValue("back"))
	pick, err := parsePick(text)
	if err != nil {
		return err
	}
	if pick.Seen == "" {
		return bad("It is not said what was seen there.", "Go back and choose the port again.")
	}
	granted, err := s.Book.Approve(r.Context(), state.Grant{
		Scope: state.Scope{Picks: []state.Pick{pick}, Unapproved: true}, Reason: reason, By: identity(r).Name, Via: "web", About: identity(r).Actor().Detail,
	})
	if err != nil {
		if f := s.explain(r, err); f.Status == http.StatusConflict {
			name, _, _ := strings.Cut(text, "~")
			v := approveView{selection: selection{Picks: []string{name}, picks: []state.Pick{{Address: pick.Address, Vantage: pick.Vantage, Port: pick.Port}}}, Reason: reason, Back: back}
			v.Clash = clashOf(url.Values{"shown": {text}, "ports": {"1"}, "hosts": {"1"}})
			return s.confirmApprove(w, r, f.Status, v)
		}
		return err
	}
	said := pick.Port.String() + " on " + pick.Address.String() + " is approved already; nothing was done."
	if len(granted) == 1 {
		a := granted[0]
		said = "Approved " + a.Port.String() + " on " + a.Address.String() + "."
		if a.Service != "" {
			said = strings.TrimSuffix(said, ".") + ": " + a.Service + "."
		}
	}
	return s.done(w, r, back, said)
}

// portsOn counts approvals: "12 ports on 4 hosts".
func portsOn(approvals []state.Approval) string {
	hosts := make(map[int64]bool)
	for _, a := range approvals {
		hosts[a.HostID] = true
	}
	return counted(len(approvals), "port", "ports") + " on " + counted(len(hosts), "host", "hosts")
}

// backTo is where a form leads back to: a list of ours, or else the ports. What is typed
// never becomes an address of somebody else's.
func backTo(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || len(text) > 2000 {
		return "/ports"
	}
	for _, path := range []string{"/ports", "/approvals", "/hosts"} {
		if u.Path == path || path == "/hosts" && strings.HasPrefix(u.Path, "/hosts/") && !strings.Contains(u.Path, "..") {
			return (&url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.Query().Encode()}).String()
		}
	}
	return "/ports"
}
