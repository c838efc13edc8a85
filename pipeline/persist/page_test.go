package persist

import (
	"errors"
	"strings"
	"testing"

	"ownmap/pipeline/state"
)

func filterOf(tb testing.TB, text string) *state.Filter {
	tb.Helper()
	f, err := state.ParseFilter(text)
	if err != nil {
		tb.Fatal(err)
	}
	return &f
}

// portLabels lists the ports of a page.
func portLabels(rows []state.PortRow) string {
	texts := make([]string, len(rows))
	for i, r := range rows {
		texts[i] = r.Host.Address.String() + " " + r.String()
	}
	return strings.Join(texts, ", ")
}

func TestApproveWhatWasSeen(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	lan(t).pass(t, book)
	ctx := t.Context()
	scope := state.Scope{Filter: filterOf(t, "service:ssh"), Unapproved: true}
	seen := must[state.Preview](t)(book.Preview(ctx, scope))
	if seen.Ports != 2 || seen.Hosts != 2 || seen.Approved != 0 || seen.Digest == "" {
		t.Errorf("preview %+v", seen)
	}
	before := must[string](t)(book.Version(ctx))
	one(answers(t, "127.0.0.2", "22/tcp ssh Dropbear 1")).pass(t, book) // another program: what was seen is gone
	grant := state.Grant{Scope: scope, By: "ann", Via: "web", Digest: seen.Digest}
	_, err := book.Approve(ctx, grant)
	var changed *ChangedError
	if !errors.As(err, &changed) || changed.Now.Ports != 1 {
		t.Fatalf("approved after a change: %v", err)
	}
	if now := must[string](t)(book.Version(ctx)); now == before {
		t.Error("the version is that of before")
	}
	grant.Digest = changed.Now.Digest
	if list := must[[]state.Approval](t)(book.Approve(ctx, grant)); subjects(list) != "127.0.0.2 22/tcp" {
		t.Errorf("approved %s", subjects(list))
	}
	page := must[state.PortPage](t)(book.Ports(ctx, state.PortQuery{Filter: *filterOf(t, "approved")}))
	if portLabels(page.Rows) != "127.0.0.2 22/tcp" || page.Total != 1 || page.Pages != 1 || page.Hosts != 1 {
		t.Errorf("page %+v", page)
	}
	revoked := must[state.Preview](t)(book.PreviewRevoke(ctx, scope))
	grant.Digest = revoked.Digest
	if list := must[[]state.Approval](t)(book.Revoke(ctx, grant)); revoked.Ports != 1 || len(list) != 1 {
		t.Errorf("revoked %+v, %v", revoked, list)
	}
	if h := must[state.HostHistory](t)(book.HistoryOf(ctx, page.Rows[0].Host.Address, "")); len(h.Ports) != 1 {
		t.Errorf("history %+v", h)
	}
	o := must[state.Overview](t)(book.Overview(ctx))
	if o.Open != 1 || o.Unapproved != 1 || len(o.Nights) != 2 || o.Last == nil || len(o.Trend) != 2 {
		t.Errorf("overview %+v", o)
	}
	hosts := must[state.HostPage](t)(book.HostsPage(ctx, state.HostQuery{}))
	if hosts.Total != 1 || hosts.Rows[0].Open != 1 || hosts.Rows[0].Unapproved != 1 {
		t.Errorf("hosts %+v", hosts)
	}
}
