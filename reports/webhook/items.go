package webhook

import (
	"net/netip"
	"time"

	"ownmap/pipeline/state"
)

// where is a host, and a port of it or null.
type where struct {
	Host     string  `json:"host"` // the first name, or the address
	Address  string  `json:"address"`
	Protocol *string `json:"protocol"`
	Port     *uint16 `json:"port"`
}

type change struct {
	Kind     string `json:"kind"`
	Severity string `json:"severity"`
	where
	Was *seen `json:"was"`
	Now *seen `json:"now"`
}

type seen struct {
	Name    *string `json:"name"`
	State   *string `json:"state"`
	Service *string `json:"service"`
	Product *string `json:"product"`
	Version *string `json:"version"`
	Process *string `json:"process"`
	Bind    *string `json:"bind"`
}

type finding struct {
	Kind     string `json:"kind"`
	Severity string `json:"severity"`
	where
	Detail string  `json:"detail"`
	Since  *string `json:"since"` // without a break
	New    bool    `json:"new"`
}

type approval struct {
	Address   string  `json:"address"`
	Protocol  *string `json:"protocol"`
	Port      *uint16 `json:"port"`
	Service   *string `json:"service"`
	Process   *string `json:"process"`
	By        *string `json:"by"`
	Via       *string `json:"via"`
	Reason    *string `json:"reason"`
	GrantedAt *string `json:"granted_at"`
	Until     *string `json:"until"`
	EndedAt   *string `json:"ended_at"`
	EndedBy   *string `json:"ended_by"`
	EndReason *string `json:"end_reason"`
}

type port struct {
	where
	State      string  `json:"state"`
	Service    *string `json:"service"`
	Product    *string `json:"product"`
	Version    *string `json:"version"`
	Process    *string `json:"process"`
	Owner      *string `json:"owner"`
	FirstSeen  *string `json:"first_seen"`
	LastSeen   *string `json:"last_seen"`
	StaleSince *string `json:"stale_since"`
	Approve    *string `json:"approve"` // a link by which whoever holds it can approve the port
}

type alert struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

func changeOf(c state.Change) any {
	return change{string(c.Kind), string(c.Kind.Severity()), whereOf(c.Address, c.Name, c.Port), seenOf(c.Was), seenOf(c.Now)}
}

func seenOf(s state.Seen) *seen {
	j := seen{
		Name: some(s.Name), State: some(string(s.State)), Service: some(s.Service.String()), Product: some(s.Service.Product),
		Version: some(s.Service.Version), Process: some(s.Process.Described()),
	}
	if s.Bind.IsValid() {
		j.Bind = some(s.Bind.String())
	}
	if j == (seen{}) {
		return nil
	}
	return &j
}

func findingOf(f state.Finding) any {
	return finding{string(f.Kind), string(f.Weight()), whereOf(f.Address, f.Name, f.Port), state.Clean(f.Says()), utc(&f.First), f.New}
}

func approvalOf(a state.Approval) any {
	at := whereOf(a.Address, "", a.Port)
	return approval{
		Address: at.Address, Protocol: at.Protocol, Port: at.Port, Service: some(a.Service), Process: some(a.Behind().Described()), By: some(a.By), Via: some(a.Via), Reason: some(a.Reason),
		GrantedAt: utc(&a.GrantedAt), Until: utc(a.Until), EndedAt: utc(a.EndedAt), EndedBy: some(a.EndedBy), EndReason: some(string(a.EndReason)),
	}
}

func portOf(h state.HostReport, p state.PortReport, to state.MessageLinks) any {
	return port{
		where: whereOf(h.Address, h.Name(), p.Port), State: string(p.State), Service: some(p.Service.String()), Product: some(p.Service.Product), Version: some(p.Service.Version),
		Process: some(p.Behind().Described()), Owner: some(h.Owner), FirstSeen: utc(&p.FirstSeen), LastSeen: utc(&p.LastSeen), StaleSince: utc(p.StaleSince),
		Approve: linkOf(to.ToApprove(h.ID, p.Port)),
	}
}

func alertOf(a state.Alert) any { return alert{string(a.Kind), state.Clean(a.Text)} }

func textOf(text string) any { return state.Clean(text) }

func whereOf(address netip.Addr, name string, p state.Port) where {
	w := where{Host: address.String(), Address: address.String()}
	if name != "" {
		w.Host = state.Clean(name)
	}
	if p.Number != 0 {
		w.Protocol, w.Port = some(string(p.Protocol)), &p.Number
	}
	return w
}

// some returns a text that can be seen and has an end, or null for none.
func some(text string) *string {
	if text == "" {
		return nil
	}
	text = state.Clean(text)
	return &text
}

func utc(t *time.Time) *string {
	if t == nil || t.IsZero() {
		return nil
	}
	text := t.UTC().Format(time.RFC3339)
	return &text
}
