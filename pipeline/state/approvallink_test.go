package state

import (
	"errors"
	"testing"
	"time"
)

// TestLinkedPort holds what between a message and a click is another thing, and what is
// only more of the same.
func TestLinkedPort(t *testing.T) {
	t.Parallel()
	at := func(s Service, p Process) PortReport {
		return PortReport{PortStatus: PortStatus{Port: Port{TCP, 443}, State: Open, Service: s}, Process: p.Pointer()}
	}
	with := func(change func(*PortReport)) *PortReport {
		r := at(Service{Name: "http", Product: "nginx", Version: "1.22.1", Probed: true}, Process{Exe: "/usr/sbin/nginx", User: "www-data", Unit: "nginx.service", Package: "nginx"})
		change(&r)
		return &r
	}
	was := *with(func(*PortReport) {})
	for name, test := range map[string]struct {
		now                     *PortReport
		changed, differs, waits bool
	}{
		"the same":           {&was, false, false, true},
		"gone":               {nil, true, true, false},
		"not sure":           {with(func(p *PortReport) { p.State = OpenFiltered }), true, true, false},
		"version":            {with(func(p *PortReport) { p.Service.Version = "1.24.0" }), false, true, true},
		"product":            {with(func(p *PortReport) { p.Service.Product = "netcat" }), true, true, false},
		"service":            {with(func(p *PortReport) { p.Service.Name = "ssh" }), true, true, false},
		"tunnel":             {with(func(p *PortReport) { p.Service.Tunnel = "ssl" }), true, true, false},
		"not looked at":      {with(func(p *PortReport) { p.Service = Service{Name: "https"} }), false, true, true},
		"program":            {with(func(p *PortReport) { p.Process = Process{Exe: "/tmp/x", User: "www-data"}.Pointer() }), true, true, false},
		"user":               {with(func(p *PortReport) { p.Process = Process{Exe: "/usr/sbin/nginx", User: "root"}.Pointer() }), true, true, false},
		"no look inside":     {with(func(p *PortReport) { p.Process = nil }), false, true, true},
		"approved":           {with(func(p *PortReport) { p.Approval = &Approval{By: "bob"} }), false, false, false},
		"approved, other":    {with(func(p *PortReport) { p.Service.Product = "netcat"; p.Approval = &Approval{By: "bob"} }), false, true, false},
		"approved, now gone": {with(func(p *PortReport) { p.State = Closed; p.Approval = &Approval{By: "bob"} }), true, true, false},
	} {
		p := LinkedPort{Was: was, Now: test.now}
		if p.Changed() != test.changed || p.Differs() != test.differs || p.Waits() != test.waits {
			t.Errorf("%s: changed %v, differs %v, waits %v", name, p.Changed(), p.Differs(), p.Waits())
		}
		l := Linked{Ports: []LinkedPort{p}}
		same := l.Seen() == Linked{Ports: []LinkedPort{{Was: was, Now: &was}}}.Seen()
		if want := name == "the same" || name == "approved"; same != want {
			t.Errorf("%s: seen as the same: %v", name, same)
		}
		var want error
		switch {
		case test.changed:
			want = ErrLinkChanged
		case !test.waits:
			want = ErrLinkDone
		}
		if err := l.Err(); !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	fine, gone, done := LinkedPort{Was: was, Now: &was}, LinkedPort{Was: was}, LinkedPort{Was: was, Now: with(func(p *PortReport) { p.Approval = &Approval{} })}
	for _, test := range []struct {
		ports []LinkedPort
		want  error
	}{{[]LinkedPort{fine, gone}, ErrLinkChanged}, {[]LinkedPort{done, gone}, ErrLinkChanged}, {[]LinkedPort{done, fine}, nil}, {[]LinkedPort{done, done}, ErrLinkDone}} {
		if err := (Linked{Ports: test.ports}).Err(); !errors.Is(err, test.want) {
			t.Errorf("%d ports: %v, want %v", len(test.ports), err, test.want)
		}
	}
}

func TestAuthor(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ via, author, by string }{
		{"cli", "alice", "by alice"}, {"web", "alice", "by alice"}, {"rule", "rule of alice", "by rule of alice"}, {"mail", "via link sent to alice", "via link sent to alice"},
	} {
		a := Approval{By: "alice", Via: test.via}
		if a.Author() != test.author || a.ByAuthor() != test.by {
			t.Errorf("%s: %q, %q", test.via, a.Author(), a.ByAuthor())
		}
	}
	l := Linked{SentTo: "alice@example.org"}
	if nobody, bob := l.Author(Identity{Name: "x"}), l.Author(Identity{Name: "bob", Role: Viewer}); nobody != "alice@example.org" || bob != "alice@example.org (signed in as bob)" {
		t.Errorf("%q, %q", nobody, bob)
	}
}

func TestToApprove(t *testing.T) {
	t.Parallel()
	to := MessageLinks{Approve: func(_ int64, ports ...Port) string {
		if len(ports) == 2 {
			return "javascript:alert(1)"
		}
		return "https://ownmap.example.org/a/x"
	}}
	ssh := Port{TCP, 22}
	if to.ToApprove(1, ssh) != "https://ownmap.example.org/a/x" || to.ToApprove(0, ssh) != "" || to.ToApprove(1) != "" || to.ToApprove(1, ssh, ssh) != "" || (MessageLinks{}).ToApprove(1, ssh) != "" {
		t.Error("a link where there is none, or none where there is one")
	}
}

func TestAwaiting(t *testing.T) {
	t.Parallel()
	port := func(n uint16, approved bool) PortReport {
		p := PortReport{PortStatus: PortStatus{Port: Port{TCP, n}, State: Open}, FirstSeen: time.Unix(1, 0)}
		if approved {
			p.Approval = &Approval{}
		}
		return p
	}
	r := Report{Hosts: []HostReport{
		{Host: Host{ID: 1, Vantage: "local"}, Ports: []PortReport{port(22, false), port(80, true)}},
		{Host: Host{ID: 1, Vantage: "internet"}, Ports: []PortReport{port(22, false), port(443, false)}},
		{Host: Host{ID: 2}, Ports: []PortReport{port(22, true)}},
		{Host: Host{ID: 3}, Ports: []PortReport{port(22, false)}},
	}}
	await := r.Awaiting(func(yield func(int64) bool) { _ = yield(1) && yield(2) })
	if len(await) != 2 || len(await[1]) != 2 || await[1][0].Number != 22 || await[1][1].Number != 443 || len(await[2]) != 0 {
		t.Errorf("awaiting %v", await)
	}
	if at, only := r.SoleAwaiting(); only {
		t.Errorf("only %v", at)
	}
	r.Hosts = r.Hosts[2:]
	if at, only := r.SoleAwaiting(); !only || at != (HostPort{3, Port{TCP, 22}}) {
		t.Errorf("%v, %v", at, only)
	}
	if at, only := (Report{}).SoleAwaiting(); only {
		t.Errorf("of nothing %v", at)
	}
}
