package load

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"ownmap/pipeline/state"
)

// wrote returns targets as "LINE SPEC [tags] owner ssh".
func wrote(targets []state.Target) string {
	var lines []string
	for _, t := range targets {
		lines = append(lines, strings.TrimSpace(strings.TrimSuffix(fmt.Sprintf("%d %s %v %s %s", lineOf(t), t.Spec, t.Tags, t.Owner, t.SSH), state.TargetSSH{}.String())))
	}
	return strings.Join(lines, "\n")
}

func TestTargetFormats(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want, notes string }{
		"hosts": {
			"# names\n127.0.0.1\tlocalhost\n::1 localhost ip6-localhost\nff02::1 ip6-allnodes\n192.0.2.7 web.example.org web # the shop\n192.0.2.7 shop\n2001:db8::7 web6\n\n",
			"5 192.0.2.7 [prod]\n7 2001:db8::7 [prod]",
			"f:2: localhost (127.0.0.1) is left out: it is this machine itself\nf:3: localhost ip6-localhost (::1) is left out: it is this machine itself\nf:4: ip6-allnodes (ff02::1) is left out: it is the address of many hosts",
		},
		"ssh config": {
			"# ours\nHost web shop\n  HostName web.example.org\n  Port 2222\n\nHost db\n  HostName 192.0.2.9\nHost *.example.net\n  User carol\nHost db_%h github.com\nHost box.example.net\nHost inner\n  HostName 192.0.2.11\n  ProxyJump db\nMatch user alice\n  Port 99\nHost *\n  User ownmap\n",
			"2 web.example.org [prod]  on, user ownmap, port 2222\n6 192.0.2.9 [prod]  on, user ownmap\n11 box.example.net [prod]  on, user carol\n12 192.0.2.11 [prod]  on, user ownmap",
			"f:15: Match user alice is left out: what it says depends on more than the host\nf:8: *.example.net is left out: it is a pattern and names no host\nf:10: db_%h is left out: that is no name of a host\nf:10: github.com is left out: it is not yours to scan\nf:12: inner is reached through another host: say so with jump: under ssh: of targets in ownmap.yaml\nf:17: * is left out: it is a pattern and names no host",
		},
		"netbox addresses": {
			"IP Address,VRF,Status,Role,Tenant,Assigned,DNS Name,Tags\n192.0.2.7/24,Global,Active,,Web Team,True,web.example.org,\"Front End,dmz\"\n192.0.2.8/24,Global,Reserved,,,False,,\n2001:db8::7/64,Global,DHCP,,,True,,\n",
			"2 192.0.2.7 [dmz front-end prod] Web Team\n4 2001:db8::7 [prod]",
			"f:3: 192.0.2.8/24 is left out: NetBox calls it reserved",
		},
		"netbox prefixes": {
			"prefix,vrf,tenant,site,status,role,is_pool,description\n192.0.2.0/24,,,,active,,False,\n10.0.0.0/8,,,,container,,False,\n",
			"2 192.0.2.0/24 [prod]", "f:3: 10.0.0.0/8 is left out: its parts are what is used",
		},
		"netbox devices": {
			"Name,Status,Tenant,Site,Role,IP Address,IPv4 Address,IPv6 Address\nsw1,Active,,A,Switch,192.0.2.20/24,192.0.2.20/24,2001:db8::20/64\nsw2,Active,,A,Switch,,,\nsw3,Offline,,A,Switch,192.0.2.22/24,,\n",
			"2 192.0.2.20 [prod]\n2 2001:db8::20 [prod]",
			"f:3: sw2 is left out: it has no address\nf:4: sw3 is left out: NetBox calls it offline",
		},
		"netbox json": {
			`{"count": 4, "next": null, "previous": null, "results": [
{"id": 1, "display": "192.0.2.7/24", "family": {"value": 4}, "address": "192.0.2.7/24", "status": {"value": "active", "label": "Active"}, "tenant": {"id": 3, "name": "Web Team"}, "tags": [{"name": "Front End", "slug": "front-end"}], "dns_name": ""},
{"id": 2, "name": "sw1", "primary_ip": {"address": "192.0.2.20/24"}, "primary_ip4": {"address": "192.0.2.20/24"}, "primary_ip6": null, "status": {"value": "active"}, "tags": []},
{"id": 3, "prefix": "198.51.100.0/28", "status": {"value": "deprecated"}, "tags": ["old"]},
{"id": 4, "start_address": "192.0.2.30/24", "end_address": "192.0.2.33/24", "status": {"value": "active"}}
]}`,
			"2 192.0.2.7 [front-end prod] Web Team\n3 192.0.2.20 [prod]\n5 192.0.2.30/31 [prod]\n5 192.0.2.32/31 [prod]",
			"f:4: 198.51.100.0/28 is left out: NetBox calls it deprecated",
		},
	} {
		targets, notes, err := Default().ImportTargets(strings.NewReader(c.text), "f", "", state.Target{Tags: []string{"prod"}, Origin: state.OriginCLI})
		if got := wrote(targets); err != nil || got != c.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, got, c.want)
		}
		if got := strings.Join(notes, "\n"); got != c.notes {
			t.Errorf("%s: notes\n%s\nwant\n%s", name, got, c.notes)
		}
	}
}

func TestBadTargetFormats(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ format, text, want string }{
		{"hosts", "127.0.0.1 localhost\nweb.example.org 192.0.2.1\n", `f:2: "web.example.org" is no address`},
		{"ssh-config", "Host web\n HostName 192.0.2.1\n Port none\n", `f:1: port "none" of "web"`},
		{"ssh-config", "Host web\n HostName -oProxyCommand=id\n", `f:1: `},
		{"netbox", `{"results": [{"address": "192.0.2.1/24"}`, "f:1: no export of NetBox: it has no end"},
		{"netbox", "[\n" + strings.Repeat("{},\n", 20_000) + "{}]", "f:10003: more than 10000 objects without anything to scan"},
		{"netbox", "[\n{\"address\": \"192.0.2.1\"},\n{\"address\": \"192.0.2.2\"},\n{\"address\": 3}]", "f:4: no export of NetBox: "},
		{"netbox", `{"detail": "no"}`, "f:1: no export of NetBox: there are no results in it"},
		{"netbox", "Name,Site\nsw1,A\n", "f:1: no export of NetBox: no column is called"},
		{"netbox", "IP Address,Status\n192.0.2.300/24,Active\n", `f:2: "192.0.2.300/24" is no address`},
		{"table", "192.0.2.1\n", "f:1: no table of targets"},
		{"nmap", "x", `format "nmap" is none: known are`},
	} {
		targets, _, err := Default().ImportTargets(strings.NewReader(c.text), "f", c.format, state.Target{})
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || len(targets) > 0 {
			t.Errorf("%s %.60q: %v %v, want %s", c.format, c.text, targets, err, c.want)
		}
	}
	if !slices.Contains(TargetFormats(), targetFormat([]byte("10.0.0.1 web.example.org\n"))) || targetFormat([]byte("10.0.0.1 web.example.org\n")) != formatList {
		t.Error("a list of targets is none")
	}
}
