package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"ownmap/pipeline/load"
	"ownmap/pipeline/state"
)

// TestTime is how long a test may take.
const TestTime = 30 * time.Second

// Tester tries whether hosts can be reached and looked inside, as a run would. All fields
// are required.
type Tester struct {
	Planner *load.Planner
	Targets []state.Target // of all origins
	// Discover asks whether somebody is there, gently where a host is fragile.
	Discover func(ctx context.Context, addresses []netip.Addr, gentle bool) ([]state.Host, error)
	// Look looks inside a host; who cannot be is data.
	Look func(ctx context.Context, login state.Login) state.Look
	Now  func() time.Time
}

// AskTest asks for a test of a target for workers to do, and returns its number. What is
// more than MaxTestAddresses is a state.RefusedError.
func (d *Desk) AskTest(ctx context.Context, spec state.Spec, vantage string, by state.Actor) (int64, error) {
	vantage = cmp.Or(vantage, state.DefaultVantage)
	err := CheckTest(spec)
	if err == nil {
		err = load.CheckVantage(vantage)
	}
	if err != nil {
		return 0, refused("%s", err)
	}
	return d.Book.AskTargetTest(ctx, spec, vantage, by)
}

// Test returns a test and how far it is; ok is false if there is none of that number (any
// more).
func (d *Desk) Test(ctx context.Context, id int64) (t state.TargetTest, ok bool, err error) {
	return d.Book.TargetTest(ctx, id)
}

// CheckTest returns an error if a target is too large to be tested.
func CheckTest(spec state.Spec) error {
	if spec.Count() > state.MaxTestAddresses {
		return fmt.Errorf("%s stands for more than %d addresses: test one of them, or a smaller part", spec, state.MaxTestAddresses)
	}
	return nil
}

// Try does a part of a test of what is scanned from a vantage, in at most TestTime.
func (t Tester) Try(ctx context.Context, spec state.Spec, vantage string, work state.TestWork) []state.TestStep {
	ctx, cancel := context.WithTimeout(ctx, TestTime)
	defer cancel()
	hosts, steps := t.plan(ctx, spec, vantage)
	if hosts == nil {
		if work == state.TestInside { // the other part says why
			return nil
		}
		return steps
	}
	if work == state.TestInside {
		return t.inside(ctx, hosts)
	}
	return append(steps, t.reach(ctx, spec, hosts)...)
}

// plan returns the hosts to try, planned as a run would, and what that showed; without
// hosts a step says why.
func (t Tester) plan(ctx context.Context, spec state.Spec, vantage string) ([]state.PlannedHost, []state.TestStep) {
	if err := CheckTest(spec); err != nil {
		return nil, []state.TestStep{failed(state.StepResolve, nil, err.Error(), "")}
	}
	plan, err := t.Planner.Plan(ctx, t.Targets, nil, []string{spec.String()})
	here := from(plan, vantage)
	var none *load.NotTargetError
	if errors.As(err, &none) || err == nil && len(here) == 0 && len(plan.Unresolved) == 0 { // it may become a target
		alone := append(slices.Clone(t.Targets), state.Target{Spec: spec, Vantage: vantage, Origin: state.OriginWeb})
		plan, err = t.Planner.Plan(ctx, alone, nil, []string{spec.String()})
		here = from(plan, vantage)
	}
	var excluded *load.ExcludedError
	switch {
	case errors.As(err, &excluded):
		return nil, []state.TestStep{failed(state.StepAllowed, nil, "excluded by "+cmp.Or(excluded.By, "several exclusions"), "it is never scanned; take the exclusion away if it may be")}
	case err != nil:
		return nil, []state.TestStep{failed(state.StepResolve, nil, err.Error(), "")}
	case len(here) == 0 && len(plan.Unresolved) > 0:
		return nil, []state.TestStep{failed(state.StepResolve, nil, plan.Unresolved[0].Err, "is the name right, and does DNS know it there?")}
	case len(here) == 0:
		return nil, []state.TestStep{failed(state.StepAllowed, nil, "nothing of it is scanned", "it may be excluded")}
	case len(here) > state.MaxTestAddresses:
		here = here[:state.MaxTestAddresses]
	}
	if spec.Kind() != state.SpecName {
		return here, nil
	}
	return here, []state.TestStep{ok(state.StepResolve, nil, state.Count(len(here), "address", "addresses"))}
}

func from(plan state.Plan, vantage string) []state.PlannedHost {
	return slices.DeleteFunc(slices.Clone(plan.Hosts), func(h state.PlannedHost) bool { return h.Vantage != vantage })
}

// reach asks whether hosts are there, but those that may not be scanned now.
func (t Tester) reach(ctx context.Context, spec state.Spec, hosts []state.PlannedHost) []state.TestStep {
	var steps []state.TestStep
	asked := map[bool][]netip.Addr{} // by whether they are fragile
	for _, h := range hosts {
		if !h.Limits.Open(t.Now()) {
			steps = append(steps, state.TestStep{Name: state.StepAllowed, Address: &h.Address, Outcome: state.TestSkipped, Says: "not asked: " + h.Limits.String()})
			continue
		}
		asked[h.Limits.Fragile] = append(asked[h.Limits.Fragile], h.Address)
	}
	for _, gentle := range []bool{false, true} {
		if len(asked[gentle]) == 0 {
			continue
		}
		found, err := t.Discover(ctx, asked[gentle], gentle)
		if err != nil {
			return append(steps, failed(state.StepAnswer, nil, err.Error(), "ownmap check says more"))
		}
		for i, h := range found {
			address := asked[gentle][i]
			switch {
			case h.State == state.Up:
				steps = append(steps, ok(state.StepAnswer, &address, "something answers"))
			case spec.Single():
				steps = append(steps, failed(state.StepAnswer, &address, "no answer", "is it on, and does a firewall let the scanner through? It is scanned all the same, for the target names it"))
			default:
				steps = append(steps, failed(state.StepAnswer, &address, "no answer", "a run leaves it out; name the address itself as a target to have it scanned without an answer"))
			}
		}
	}
	return steps
}

// inside looks inside the hosts that are to be, all at once.
func (t Tester) inside(ctx context.Context, hosts []state.PlannedHost) []state.TestStep {
	each := make([][]state.TestStep, len(hosts))
	var group sync.WaitGroup
	for i, h := range hosts {
		if h.Login == nil {
			each[i] = []state.TestStep{{Name: state.StepConnect, Address: &h.Address, Outcome: state.TestSkipped, Says: "not to be looked inside"}}
			continue
		}
		group.Go(func() { each[i] = lookSteps(h.Address, t.Look(ctx, *h.Login)) })
	}
	group.Wait()
	return slices.Concat(each...)
}

func ok(name string, address *netip.Addr, says string) state.TestStep {
	return state.TestStep{Name: name, Address: address, Outcome: state.TestOK, Says: state.Clean(says)}
}

func failed(name string, address *netip.Addr, says, remedy string) state.TestStep {
	return state.TestStep{Name: name, Address: address, Outcome: state.TestFailed, Says: state.Clean(says), Remedy: state.Clean(remedy)}
}
