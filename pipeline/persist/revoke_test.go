package persist

import (
	"strings"
	"testing"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

func TestRevoke(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	lan(t).pass(t, book)
	all := state.Grant{Scope: state.Scope{All: true}, By: "ann", Via: "cli"}
	if _, err := book.Approve(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	one(lan(t)[0][0], answers(t, "127.0.0.2")).pass(t, book)
	for _, c := range []struct {
		grant        state.Grant
		ended, fault string
	}{
		{grantOf(t, "127.0.0.2", "22/tcp"), "127.0.0.2 22/tcp", ""}, // closed by now
		{grantOf(t, "127.0.0.2", "22/tcp"), "", "nobody approved 22/tcp"},
		{grantOf(t, "127.0.0.2"), "", "no port of the scope is approved"},
		{grantOf(t, "127.0.0.7"), "", `no host "127.0.0.7"`},
		{state.Grant{By: "ann", Via: "cli"}, "", ErrScopeEmpty.Error()},
		{grantOf(t, "53/udp"), "127.0.0.1 53/udp", ""},
		{all, "127.0.0.1 22/tcp, 127.0.0.1 53/tcp", ""},
		{all, "", ""},
	} {
		list, err := book.Revoke(t.Context(), c.grant)
		if subjects(list) != c.ended || (err == nil) != (c.fault == "") || (err != nil && !strings.Contains(err.Error(), c.fault)) {
			t.Errorf("revoke %+v: %q, %v; want %q, %q", c.grant.Scope, subjects(list), err, c.ended, c.fault)
		}
	}
	if got, want := unapproved(t, book), "127.0.0.1 22/tcp, 127.0.0.1 53/tcp, 127.0.0.1 53/udp"; got != want {
		t.Errorf("unapproved %s, want %s", got, want)
	}
	want(t, book, "(4,ann,revoked)", "select count(*), ended_by, end_reason from approval group by 2, 3")
	want(t, book, "(4,because)", "select count(*), max(detail->>'reason') from audit where action = 'revoke'")
	checkInvariants(t, book)
}

// TestRevokedMakesRoom takes one of two approvals of a port back: the one that
// is good from any vantage stands in.
func TestRevokedMakesRoom(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	one(answers(t, "127.0.0.1", "22/tcp ssh OpenSSH 9.2")).pass(t, book)
	if _, err := book.Approve(t.Context(), grantOf(t, "127.0.0.1")); err != nil {
		t.Fatal(err)
	}
	exec1(t, book, "insert into approval (host_id, protocol, port, service, family, probed, reason, granted_by, via, granted_at) values (1, 'tcp', 22, 'ssh', '', true, '', 'rule', 'rule', clock_timestamp())")
	if got := must[[]state.HostReport](t)(book.Inventory(t.Context()))[0].Ports[0].Approval; got == nil || got.ID != 1 {
		t.Errorf("approval %+v, want the one for the vantage", got)
	}
	v := must[[]state.Approval](t)(book.Approvals(t.Context(), state.Scope{}, false))
	if len(v) != 2 || v[0].Vantage != "" || v[1].Vantage != state.DefaultVantage {
		t.Errorf("approvals %+v", v)
	}
	err := book.inStateTx(t.Context(), func(q *queries.Queries) error {
		if _, err := q.RevokeApprovals(t.Context(), queries.RevokeApprovalsParams{Ids: []int64{1}, EndedBy: "ann"}); err != nil {
			return err
		}
		_, err := q.UnlinkApprovals(t.Context(), []int64{1})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := must[[]state.HostReport](t)(book.Inventory(t.Context()))[0].Ports[0].Approval; got == nil || got.By != "rule" {
		t.Errorf("approval %+v, want the rule's", got)
	}
	want(t, book, "(2)", "select approval_id from port_current")
	if got := unapproved(t, book); got != "" {
		t.Errorf("unapproved %s", got)
	}
}
