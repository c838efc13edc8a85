package main

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/lab"
)

// legacyTables are those of the OwnMap in Python after a scan of TCP and UDP, in which the
// row of 53/tcp left no room for 53/udp.
const legacyTables = `
create table hosts (host_ip inet primary key, alive boolean, dns_name varchar(255), host_name varchar(255), ssh_available boolean, ssh_user varchar(255),
	added date not null default current_date, last_modified timestamp);
create table ports (host_ip inet, port int, process varchar(1000), service varchar(1000), product varchar(1000), protocol varchar(20), state varchar(20),
	added date not null default current_date, last_modified timestamp, approved boolean default false, primary key (host_ip, port));
create table targets (ip inet primary key);
insert into hosts (host_ip, alive, dns_name, ssh_available, ssh_user, last_modified) values
	('127.9.32.1', true, 'ns.example.org', true, 'audit', '2024-05-01 02:00:00'), ('127.9.32.2', true, '', false, '', '2024-05-01 02:00:05'),
	('127.9.32.3', false, '', false, '', '2024-05-01 02:00:09'), ('127.9.32.4', null, '', false, '', '2024-05-01 02:00:09');
insert into ports (host_ip, port, service, product, protocol, state, last_modified, approved, process) values
	('127.9.32.1', 22, 'ssh', 'OpenSSH v9.2p1', '1', '1', '2024-05-01 02:00:00', true, null),
	('127.9.32.1', 53, 'domain', 'ISC BIND', '1', '1', '2024-05-01 02:00:00', false, 'named'),
	('127.9.32.1', 80, 'http', null, '1', '2', '2024-05-01 02:00:00', false, null),
	('127.9.32.2', 123, 'ntp', null, '2', '1', '2024-05-01 02:00:05', true, null),
	('127.9.32.2', 132, 'odd', null, '3', '1', '2024-05-01 02:00:05', false, null);
insert into targets values ('127.9.32.1'), ('127.9.32.0/29');
`

// TestImportLegacy imports a legacy database by its config, twice.
func TestImportLegacy(t *testing.T) {
	t.Parallel()
	old := lab.Database(t)
	conn, err := pgx.Connect(t.Context(), old)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), legacyTables); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	i := newInstance(t, "database: {url: \"${DATABASE_URL}\"}\n")
	i.env = append(i.env, "TZ=UTC")
	if err := os.WriteFile(filepath.Join(i.dir, "legacy.yaml"), []byte(legacyConfig(t, old)), 0o600); err != nil {
		t.Fatal(err)
	}
	call := func(want int, args ...string) string {
		t.Helper()
		out, stderr, code := i.call(t, args...)
		if code != want {
			t.Fatalf("ownmap %v: exit code %d\n%s%s", args, code, out, stderr)
		}
		return out + stderr
	}
	wants := func(out string, lines ...string) {
		t.Helper()
		for _, line := range lines {
			if !strings.Contains(out, line) {
				t.Errorf("no %q in\n%s", line, out)
			}
		}
	}
	wants(call(0, "import", "legacy.yaml"),
		"127.9.32.1 22/tcp is kept; whether 22/udp was open too cannot be known: there was one row for both\n",
		"127.9.32.2 123/udp is kept; whether 123/tcp was open too cannot be known: there was one row for both\n",
		"127.9.32.1 53/tcp: the process named is left out; the first look inside finds it anew\n",
		"127.9.32.2 132/3 is left out: it is no port of TCP or UDP\n",
		"127.9.32.4 is left out: whether it was there is not kept, and it has no port\n",
		"2 targets added\n", "run 1 of 2024-05-01 02:00: ", "2 ports approved, as they were there\n")
	wants(call(0, "host", "ns.example.org"), "22/tcp  open   ssh      OpenSSH 9.2p1  ", "approved in the legacy OwnMap", "First seen     2024-05-01 02:00 UTC")
	wants(call(0, "show"), "2 of 3 hosts answered", "imported from the legacy OwnMap database ")
	wants(call(0, "targets", "list"), "127.9.32.0/29", "127.9.32.1", "audit")
	call(0, "revoke", "127.9.32.2", "123/udp")
	wants(call(0, "import", "legacy.yaml"), "was imported before, as run 1\n", "no ports approved")
	if out := call(2, "import", "legacy.yaml", "other.xml"); !strings.Contains(out, "by itself") {
		t.Error(out)
	}
	if out := call(2, "import", strings.Replace(old, "/lab_", "/none_lab_", 1)); strings.Contains(out, "password") || !strings.Contains(out, "legacy database: ") {
		t.Error(out)
	}
	if out := call(2, "import", i.variable(t, "DATABASE_URL")); !strings.Contains(out, "it has no table") {
		t.Error(out)
	}
}

// legacyConfig writes the config that names a database.
func legacyConfig(t *testing.T, at string) string {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	config := "postgresql:\n  database: " + strings.TrimPrefix(u.Path, "/") + "\n"
	if host := u.Query().Get("host"); host != "" {
		config += "  host: " + host + "\n"
	} else {
		config += "  host: " + u.Hostname() + "\n"
		if port := u.Port(); port != "" {
			config += "  port: " + port + "\n"
		}
	}
	if user := u.Query().Get("user"); user != "" {
		config += "  user: " + user + "\n"
	}
	if u.User != nil {
		config += "  user: " + u.User.Username() + "\n"
		if password, set := u.User.Password(); set {
			config += "  password: " + password + "\n"
		}
	}
	return config
}
