package web

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/lab/booklab"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
)

// morning is a database as an administrator finds it in the morning: six nights, the last of
// which was just now; approvals of which one has drifted; what does not agree inside;
// something snoozed and noted.
func morning(t *testing.T) *persist.Book {
	t.Helper()
	url := lab.Database(t)
	if err := persist.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	book, err := persist.Open(t.Context(), url, time.UTC, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(book.Close)
	booklab.Targets(t, book, "web-team@example.org", []string{"dmz", "prod"}, "10.20.0.0/26")
	booklab.Targets(t, book, "data@example.org", []string{"prod"}, "10.20.0.64/26")
	booklab.Targets(t, book, "", nil, "10.20.1.0/24", "2001:db8::/120")

	until := time.Now().AddDate(0, 3, 0)
	for night := range 6 {
		switch night {
		case 1:
			approve(t, book, "public web servers", &until, "10.20.0.11", "10.20.0.12", "443/tcp")
			approve(t, book, "bastion policy", nil, "10.20.0.11", "10.20.0.12", "10.20.0.13", "22/tcp")
		case 5:
			if _, err := book.AddNote(t.Context(), netip.MustParseAddr("10.20.0.12"), "Moves to the new rack in January.\nAsk bob before it is touched.", state.Actor{Name: "alice", Via: "web"}); err != nil {
				t.Fatal(err)
			}
			snooze := state.Snooze{Reason: "waits for the vendor", By: "bob", Via: "web", Until: time.Now().AddDate(0, 0, 9)}
			if _, err := book.Snooze(t.Context(), "10.20.1.5", []state.Port{{Protocol: state.TCP, Number: 23}}, snooze); err != nil {
				t.Fatal(err)
			}
		}
		booklab.Inside(t, book, morningHosts(night), insides(night)...)
	}
	spread(t, url)
	return book
}

// morningHosts is what is seen in a night, from 0.
func morningHosts(night int) []state.Host {
	ssh := booklab.Port(22, "ssh", "OpenSSH", "9.2p1")
	nginx, apache := booklab.Port(443, "https", "nginx", "1.22.1"), booklab.Port(443, "https", "Apache httpd", "2.4.57")
	postgres, redis := booklab.Port(5432, "postgresql", "PostgreSQL DB", "15.4"), booklab.Port(379, "redis", "Redis key-value store", "7.0")
	odd := booklab.Port(913, "http", "SimpleHTTPServer", "0.6")
	list := []state.Host{
		booklab.Up("10.20.0.11", "web-1.example.org", ssh, booklab.Port(80, "http", "nginx", "1.22.1"), nginx),
		booklab.Up("10.20.0.12", "web-2.example.org", ssh, nginx),
		booklab.Up("10.20.0.13", "a-host-with-a-very-long-name-for-its-own-good.internal.example.org", ssh, nginx, booklab.Port(25, "smtp", "Postfix smtpd", "")),
		booklab.Up("10.20.0.70", "db-1.example.org", ssh, booklab.Port(111, "rpcbind", "", "2-4")),
		booklab.Up("10.20.0.71", "db-2.example.org", ssh),
		booklab.Up("10.20.1.5", "", booklab.Port(23, "telnet", "BusyBox telnetd", "1.36"), booklab.Port(80, "http", "lighttpd", "1.4")),
		booklab.Up("2001:db8::5", "printer.example.org", booklab.Port(631, "ipp", "CUPS", "2.4")),
	}
	far := booklab.Up("10.20.0.11", "web-1.example.org", nginx)
	far.Vantage = "internet"
	list = append(list, far)
	if night >= 3 {
		list[1].Ports[1] = apache // was approved as nginx
	}
	if night >= 4 {
		list[3].Ports = append(list[3].Ports, redis)
		list[4].Ports = append(list[4].Ports, odd)
	}
	if night >= 5 {
		list[2].Ports = list[2].Ports[:2]
		list[0].Ports = append(list[0].Ports, postgres)
	}
	return list
}

// approve approves ports of hosts, as words of both.
func approve(t *testing.T, book *persist.Book, reason string, until *time.Time, words ...string) {
	t.Helper()
	grant := state.Grant{Reason: reason, By: "alice", Via: "web", Until: until}
	for _, word := range words {
		if port, err := state.ParsePort(word); err == nil {
			grant.Scope.Ports = append(grant.Scope.Ports, port)
			continue
		}
		grant.Scope.Hosts = append(grant.Scope.Hosts, word)
	}
	if _, err := book.Approve(t.Context(), grant); err != nil {
		t.Fatal(err)
	}
}

// insides is what was seen inside two hosts in a night.
func insides(night int) []state.Look {
	listener := func(port uint16, bind, exe, user, unit, pkg string) state.Listener {
		return state.Listener{
			Port: state.Port{Protocol: state.TCP, Number: port}, Bind: netip.MustParseAddr(bind),
			Process: state.Process{Exe: exe, User: user, Unit: unit, Package: pkg},
		}
	}
	web := state.Look{Address: netip.MustParseAddr("10.20.0.11"), Status: state.Answered, Root: true, Listeners: []state.Listener{
		listener(22, "0.0.0.0", "/usr/sbin/sshd", "root", "ssh.service", "openssh-server"),
		listener(80, "0.0.0.0", "/usr/sbin/nginx", "www-data", "nginx.service", "nginx"),
		listener(443, "0.0.0.0", "/usr/sbin/nginx", "www-data", "nginx.service", "nginx"),
		listener(6379, "127.0.0.1", "/usr/bin/redis-server", "redis", "redis.service", "redis-server"),
	}}
	db := state.Look{Address: netip.MustParseAddr("10.20.0.71"), Status: state.Answered, Root: true, Listeners: []state.Listener{
		listener(22, "0.0.0.0", "/usr/sbin/sshd", "root", "ssh.service", "openssh-server"),
	}}
	if night >= 4 {
		port := state.Port{Protocol: state.TCP, Number: 913}
		db.Listeners = append(db.Listeners, listener(913, "0.0.0.0", "/tmp/.x/httpd", "nobody", "", ""))
		db.Findings = []state.Finding{{Kind: state.OddBinary, Severity: state.High, Address: db.Address, Port: port, Detail: "/tmp/.x/httpd as nobody, of no package"}}
	}
	return []state.Look{web, db}
}

// spread dates the nights: the last one was two hours ago, the first two months ago.
func spread(t *testing.T, url string) {
	t.Helper()
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for i, days := range []int{60, 34, 12, 5, 1, 0} {
		for _, statement := range []string{
			"update rev set at = now() - interval '1 day' * $2 - interval '2 hours' where run_id = $1",
			"update run set started_at = now() - interval '1 day' * $2 - interval '2 hours 3 minutes', finished_at = now() - interval '1 day' * $2 - interval '2 hours' where id = $1",
		} {
			if _, err := conn.Exec(ctx, statement, i+1, days); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := conn.Exec(ctx, "update approval set granted_at = granted_at - interval '40 days', ended_at = ended_at - interval '5 days'"); err != nil {
		t.Fatal(err)
	}
}
