package export

import (
	"io"
	"iter"
	"slices"

	"ownmap/pipeline/state"
)

// portJSON is a port as scripts see it.
type portJSON struct {
	Host     string  `json:"host"` // the first name, or the address
	Address  string  `json:"address"`
	Protocol string  `json:"protocol"`
	Port     uint16  `json:"port"`
	State    string  `json:"state"`
	Service  *string `json:"service"`
	Product  *string `json:"product"`
	Version  *string `json:"version"`
	processJSON
	Findings   []aboutJSON   `json:"findings"`
	Approved   bool          `json:"approved"`
	Approval   *approvalJSON `json:"approval"`
	FirstSeen  *string       `json:"first_seen"`
	LastSeen   *string       `json:"last_seen"`
	StaleSince *string       `json:"stale_since"` // not looked at since then
}

// aboutJSON is a finding about the port that it stands with.
type aboutJSON struct {
	Kind     string `json:"kind"`
	Severity string `json:"severity"`
	Detail   string `json:"detail"`
}

// approvalJSON is an approval as scripts see it.
type approvalJSON struct {
	Address   string  `json:"address"`
	Protocol  string  `json:"protocol"`
	Port      uint16  `json:"port"`
	Service   *string `json:"service"` // what it is bound to
	Process   *string `json:"process"` // and the process; null: any
	By        string  `json:"by"`
	Via       string  `json:"via"`
	Reason    *string `json:"reason"`
	GrantedAt *string `json:"granted_at"`
	Until     *string `json:"until"`
	EndedAt   *string `json:"ended_at"`
	EndedBy   *string `json:"ended_by"`
	EndReason *string `json:"end_reason"`
}

// PortsJSON writes the ports of hosts as one array.
func PortsJSON(w io.Writer, hosts []state.HostReport) error {
	return write(w, slices.AppendSeq([]portJSON{}, portsOf(hosts)))
}

// portsOf makes the ports of hosts one after the other.
func portsOf(hosts []state.HostReport) iter.Seq[portJSON] {
	return func(yield func(portJSON) bool) {
		for i := range hosts {
			for j := range hosts[i].Ports {
				if !yield(portOf(&hosts[i].Host, &hosts[i].Ports[j])) {
					return
				}
			}
		}
	}
}

func portOf(h *state.Host, p *state.PortReport) portJSON {
	return portJSON{
		Host:        hostOf(h.Name(), h.Address.String()),
		Address:     h.Address.String(),
		Protocol:    string(p.Protocol),
		Port:        p.Number,
		State:       string(p.State),
		Service:     some(p.Service.String()),
		Product:     some(p.Service.Product),
		Version:     some(p.Service.Version),
		processJSON: processOf(p.Behind()),
		Findings:    aboutPort(p.Findings),
		Approved:    p.Approved(),
		Approval:    approvalOf(p.Approval),
		FirstSeen:   utc(&p.FirstSeen),
		LastSeen:    utc(&p.LastSeen),
		StaleSince:  utc(p.StaleSince),
	}
}

func aboutPort(findings []state.Finding) []aboutJSON {
	all := make([]aboutJSON, 0, len(findings))
	for _, f := range findings {
		all = append(all, aboutJSON{string(f.Kind), string(f.Weight()), f.Detail})
	}
	return all
}

func approvalOf(a *state.Approval) *approvalJSON {
	if a == nil {
		return nil
	}
	return &approvalJSON{
		Address:   a.Address.String(),
		Protocol:  string(a.Port.Protocol),
		Port:      a.Port.Number,
		Service:   some(a.Service),
		Process:   some(a.Behind().Described()),
		By:        a.By,
		Via:       a.Via,
		Reason:    some(a.Reason),
		GrantedAt: utc(&a.GrantedAt),
		Until:     utc(a.Until),
		EndedAt:   utc(a.EndedAt),
		EndedBy:   some(a.EndedBy),
		EndReason: some(string(a.EndReason)),
	}
}

func approvalsOf(approvals []state.Approval) []approvalJSON {
	all := make([]approvalJSON, 0, len(approvals))
	for _, a := range approvals {
		all = append(all, *approvalOf(&a))
	}
	return all
}

// ApprovalsJSON writes approvals as one array.
func ApprovalsJSON(w io.Writer, approvals []state.Approval) error {
	return write(w, approvalsOf(approvals))
}
