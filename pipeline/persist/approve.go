package persist

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// ErrScopeEmpty says that a scope which is to change approvals names nothing.
var ErrScopeEmpty = errors.New("the scope names no host, tag, port or filter: name some, or say that all are meant")

// NotOpenError says that a port which is to be approved is not open.
type NotOpenError struct {
	Host string // as the user called it
	Port state.Port
	Open []state.Port // what is open there, sorted
}

// Error names the port and what is open instead.
func (e *NotOpenError) Error() string {
	return fmt.Sprintf("%s is not open on %s; open there: %s", e.Port, e.Host, portList(e.Open))
}

// portList lists up to 20 ports.
func portList(ports []state.Port) string {
	if len(ports) == 0 {
		return "none"
	}
	texts := make([]string, 0, 20)
	for _, p := range ports[:min(20, len(ports))] {
		texts = append(texts, p.String())
	}
	list := strings.Join(texts, ", ")
	if more := len(ports) - len(texts); more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return list
}

// Approve approves every open port of the grant's scope, bound to the service
// that is seen there now and to the vantage that sees it, and returns the
// approvals by host and port. A port that is approved already gets the new
// approval instead. Hosts are those of Inventory. A host, tag or port of the
// scope that matches nothing is an error (UnknownHostError, NotOpenError) and
// nothing is approved; ErrScopeEmpty refuses a scope that names nothing without
// All. The author is required; Until must lie ahead. A scope of which the Digest is another
// one by now is a ChangedError, and so is one of which a picked port is not open or not what it
// was.
func (b *Book) Approve(ctx context.Context, grant state.Grant) ([]state.Approval, error) {
	grant.By, grant.Reason = state.Clean(grant.By), state.Clean(grant.Reason)
	if err := checkGrant(grant); err != nil {
		return nil, fmt.Errorf("approve: %w", err)
	}
	var granted []state.Approval
	var moved []approvedPort
	var newest queries.NewestApprovalRow
	changes, err := b.inCountedTx(ctx, func(q *queries.Queries) error {
		v, err := present(ctx, q)
		if err != nil {
			return err
		}
		if grant.Until != nil && !grant.Until.After(v.at) {
			return fmt.Errorf("until %s is not in the future", grant.Until.UTC().Format(time.RFC3339))
		}
		c, err := b.choose(ctx, q, grant.Scope)
		if err != nil {
			return err
		}
		if err := c.checkOpen(); err != nil {
			return err
		}
		if err := c.checkSeen(grant.Digest); err != nil {
			return err
		}
		if granted, moved, err = v.grant(ctx, grant, c.wishes()); err != nil {
			return err
		}
		newest, err = q.NewestApproval(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("approve: %w", err)
	}
	b.mirror.follow(changes, newest, moved)
	return granted, nil
}

// checkGrant refuses a wish that does not say who wants what.
func checkGrant(grant state.Grant) error {
	scope := grant.Scope
	switch {
	case grant.By == "":
		return errors.New("the author is missing")
	case !slices.Contains([]string{"cli", "web", "mail", "rule"}, grant.Via):
		return fmt.Errorf("via %q is none of cli, web, mail, rule", grant.Via)
	case !scope.All && len(scope.Hosts)+len(scope.Tags)+len(scope.Ports)+len(scope.Picks)+len(scope.Approvals) == 0 && (scope.Filter == nil || scope.Filter.IsZero()):
		return ErrScopeEmpty
	}
	return nil
}
