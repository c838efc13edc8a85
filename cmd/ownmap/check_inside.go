package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/sync/errgroup"

	"ownmap/pipeline/enrich/login"
	"ownmap/pipeline/state"
)

// checkInside looks inside every host that has a login and is named or known, as a
// run would, and says of which it could not and why.
func checkInside(ctx context.Context, h *house, plan state.Plan) (string, error) {
	var logins []state.Login
	seen := map[netip.Addr]bool{}
	for _, host := range plan.Hosts {
		if host.Login != nil && host.Listed && !seen[host.Address] {
			seen[host.Address] = true
			logins = append(logins, *host.Login)
		}
	}
	if len(logins) == 0 {
		return "no host: see ssh in config.example.yaml", nil
	}
	insider, opener := h.insider(nil), login.New(h.sshOptions())
	looks := make([]state.Look, len(logins))
	var group errgroup.Group
	group.SetLimit(max(1, h.config.SSH.MaxParallel))
	for i, l := range logins {
		group.Go(func() error {
			looks[i] = insider.Check(ctx, l)
			return nil
		})
	}
	_ = group.Wait() // nobody fails
	var wrong []string
	root := 0
	for i, look := range looks {
		if look.Root {
			root++
		}
		if look.Complete() {
			continue
		}
		how := logins[i].Address.String()
		if resolved, err := opener.Resolve(logins[i]); err == nil {
			how = resolved.String()
		}
		why := look.Reason
		if look.Detail != "" {
			why += " (" + look.Detail + ")"
		}
		wrong = append(wrong, how+": "+why)
	}
	if len(wrong) > 0 {
		return "", errors.New(strings.Join(wrong, "; "))
	}
	return fmt.Sprintf("%s, %d of them as root", state.Count(len(logins), "host", "hosts"), root), nil
}
