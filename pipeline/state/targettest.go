package state

import (
	"net/netip"
	"time"
)

// MaxTestAddresses is how many addresses one test may ask.
const MaxTestAddresses = 16

// TargetTest is a test of whether the hosts of a target can be reached and looked inside.
type TargetTest struct {
	ID      int64
	Spec    string // of the target, canonical
	Vantage string
	By, Via string // who asked, and where
	AskedAt time.Time
	Parts   []TestPart
}

// Done says whether every part is.
func (t TargetTest) Done() bool {
	for _, p := range t.Parts {
		if p.FinishedAt == nil {
			return false
		}
	}
	return true
}

// OK says whether the test is done and no step failed.
func (t TargetTest) OK() bool {
	for _, p := range t.Parts {
		for _, s := range p.Steps {
			if s.Outcome == TestFailed {
				return false
			}
		}
	}
	return t.Done()
}

// TestWork is a part of a test.
type TestWork string

// The parts of a test. Hosts are scanned from their vantage, and looked inside from where
// runs are made.
const (
	TestReach  TestWork = "reach"
	TestInside TestWork = "inside"
)

// TestPart is what a worker does of a test, and what came of it.
type TestPart struct {
	Test       int64
	Work       TestWork
	Spec       string // of the target
	Target     string // its vantage
	Vantage    string // of the worker that does it
	TakenAt    *time.Time
	FinishedAt *time.Time
	Steps      []TestStep
}

// TestOutcome is what came of a step.
type TestOutcome string

// The outcomes of a step.
const (
	TestOK      TestOutcome = "ok"
	TestFailed  TestOutcome = "failed"
	TestSkipped TestOutcome = "skipped"
)

// TestStep is one thing that a test tried.
type TestStep struct {
	Name    string      `json:"name"`
	Address *netip.Addr `json:"address,omitempty"` // nil: of the target as a whole
	Outcome TestOutcome `json:"outcome"`
	Says    string      `json:"says"`             // cleaned
	Remedy  string      `json:"remedy,omitempty"` // of what failed
}

// The steps of a test, in their order.
const (
	StepResolve = "resolve"  // the name has addresses, or the addresses are few enough
	StepAllowed = "allowed"  // nothing excludes them, and they may be scanned now
	StepAnswer  = "answer"   // something answers there
	StepConnect = "connect"  // over SSH
	StepHostKey = "host key" // it is the known one
	StepLogin   = "login"
	StepLook    = "look"
)
