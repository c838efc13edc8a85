package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"time"

	"ownmap/pipeline"
	"ownmap/pipeline/alert"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
	"ownmap/reports/email"
)

// nightsVar makes the test binary a program that does nights after one another and sends
// what comes of them, as TestNothingIsLost wants it. It holds orders in JSON.
const nightsVar = "OWNMAP_TEST_NIGHTS"

// orders are what a program of nights has to know.
type orders struct {
	Database string
	Port     int // of the mail server
	CAFile   string
	Epoch    time.Time // when the clocks of all programs of a test began to run
	Last     bool      // to do one more night, send all that waits, and end
}

// speed is how much faster than the machine's the clock of a program runs, so that an
// hour between two tries is 3.6 seconds.
const speed = 1000

// quick is a time as that clock shows it.
func (o orders) quick(t time.Time) time.Time { return o.Epoch.Add(t.Sub(o.Epoch) * speed) }

func (o orders) now() time.Time { return o.quick(time.Now()) }

func (o orders) wait(ctx context.Context, d time.Duration) error { return Sleep(ctx, d/speed) }

// The recipients, and the rule of the nights: what is open on a host follows from the
// number of the run alone, so that whoever knows which runs were kept knows what changed.
const (
	mailUser, mailPassword = "ownmap", "geheim"
	alice, bob, carol      = "alice@example.org", "bob@example.org", "carol@example.org"
)

// farm are the hosts. carol is told of the second one, alice and bob of the others, each
// in a message of its own.
func farm() []netip.Addr {
	list := []netip.Addr{netip.MustParseAddr("127.3.0.1")}
	for len(list) < 5 {
		list = append(list, list[len(list)-1].Next())
	}
	return list
}

// extra is the port that is open on a host of the farm in a run, beside SSH. Another one
// than before opens every other run or less often, none ever again; in some runs nothing
// changes at all.
func extra(host int, run int64) uint16 {
	return uint16(1024 + run - run%int64(2+host))
}

func policyOfNights() alert.Policy {
	second, err := state.ParseSpec(farm()[1].String())
	if err != nil {
		panic(err)
	}
	return alert.Policy{
		Routes: []alert.Route{
			{Match: alert.Match{Hosts: []state.Spec{second}}, Channels: []string{"spare"}},
			{Channels: []string{"mail"}, GroupBy: []alert.Group{alert.ByHost}},
		},
		Channels: map[string]alert.Channel{
			"mail":  {Recipients: []string{alice, bob}, Fallback: "spare"},
			"spare": {Recipients: []string{carol}},
		},
		Remind: alert.Remind{Never: true},
		Watch:  alert.Watch{Stuck: time.Hour},
	}
}

// doNights is the program. It says on its standard output what it is at.
func doNights(ctx context.Context, text string) error {
	var o orders
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	mail, err := email.NewChannel(email.Options{From: "ownmap@example.org", Network: "farm"}, email.Server{
		Host: "127.0.0.1", Port: o.Port, CAFile: o.CAFile, User: mailUser, Password: state.NewSecret(mailPassword), Auth: email.AuthPlain,
	})
	if err != nil {
		return err
	}
	fmt.Println("up")
	for {
		err := o.serve(ctx, mail, log)
		if err == nil {
			return nil
		}
		fmt.Println("down")
		log.WarnContext(ctx, "the database went away", "error", err)
		if err := Sleep(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}

// serve does nights until something goes wrong, or the last one is done.
func (o orders) serve(ctx context.Context, mail Channel, log *slog.Logger) error {
	book, err := persist.Open(ctx, o.Database, time.UTC, log)
	if err != nil {
		return err
	}
	defer book.Close()
	policy := policyOfNights()
	book.Announce(func(report state.Report, number string, snoozes []state.Snooze) ([]state.Delivery, []string) {
		plan := policy.Plan(report, alert.Memory{Book: number, Snoozes: snoozes})
		for i := range plan.Deliveries { // the database has no quick clock
			d := &plan.Deliveries[i]
			d.CreatedAt, d.DueAt = o.quick(d.CreatedAt), o.quick(d.DueAt)
		}
		fmt.Println("keep")
		return plan.Deliveries, plan.Notes
	})
	sender := Sender{
		Store: book, Channels: map[string]Channel{"mail": mail, "spare": mail}, Policy: policy, Now: o.now, Wait: o.wait, Log: log,
		Links: func(state.Delivery, *state.Report) state.MessageLinks { return state.MessageLinks{} },
	}
	crew := crew{book}
	night := pipeline.Pipeline{Config: []state.Target{}, Planner: planner{}, Scanner: crew, Insider: nil, Crew: crew, Book: book}
	for {
		fmt.Println("run")
		_, err := night.Run(ctx, nil)
		fmt.Println("send")
		patience := 2 * time.Minute
		if o.Last {
			patience = 1000 * time.Hour
		}
		_, undelivered := sender.Drain(ctx, patience)
		if err := errors.Join(err, undelivered); err != nil || o.Last {
			return err
		}
	}
}

// planner plans the farm.
type planner struct{}

func (planner) Plan(context.Context, []state.Target, []state.KnownHost, []string) (state.Plan, error) {
	var plan state.Plan
	for _, address := range farm() {
		plan.Hosts = append(plan.Hosts, state.PlannedHost{Address: address, Vantage: state.DefaultVantage, Profile: "standard", Listed: true})
	}
	return plan, nil
}

// crew scans the farm in thought. It is the scanner too.
type crew struct{ book *persist.Book }

func (crew) Shards(plan state.Plan) []state.Shard {
	var shards []state.Shard
	for hosts := range slices.Chunk(plan.Hosts, 3) {
		shard := state.Shard{No: len(shards), Work: state.WorkPorts, Vantage: hosts[0].Vantage, Profile: state.Profile{Name: hosts[0].Profile}}
		for _, h := range hosts {
			shard.Hosts = append(shard.Hosts, state.ShardHost{Address: h.Address, Listed: h.Listed})
		}
		shards = append(shards, shard)
	}
	return shards
}

func (crew) Again(work state.Work, shards []state.Shard, asks []state.Ask) []state.Shard {
	var list []state.Shard
	for _, of := range shards {
		again := state.Shard{Work: work, Of: of.No, Vantage: of.Vantage, Profile: of.Profile}
		for _, h := range of.Hosts {
			for _, ask := range asks {
				if ask.Address == h.Address {
					h.Ask = append(h.Ask, ask.Port)
				}
			}
			if len(h.Ask) > 0 {
				again.Hosts = append(again.Hosts, h)
			}
		}
		if len(again.Hosts) > 0 {
			list = append(list, again)
		}
	}
	return list
}

func (c crew) Work(ctx context.Context, run state.Run) error {
	pending, err := c.book.PendingShards(ctx, run.ID)
	if err != nil {
		return err
	}
	for _, p := range pending {
		shard, err := c.book.Shard(ctx, run.ID, p.No)
		if err != nil {
			return err
		}
		result := state.ShardResult{Shard: shard, Scanner: state.Scanner{Version: "7.93", Privileged: true}}
		for _, h := range shard.Hosts {
			result.Hosts = append(result.Hosts, look(h.Address, run.ID))
		}
		if err := c.book.Stage(ctx, "w1", result, nil); err != nil {
			return err
		}
	}
	return nil
}

func (crew) Until(ctx context.Context, _ state.Run) (context.Context, func()) { return ctx, func() {} }

// look is what a scan of a host sees in a run. That SSH has another version is no news.
func look(address netip.Addr, run int64) state.Host {
	all, err := state.ParsePortSet("1-65535")
	if err != nil {
		panic(err)
	}
	open := func(port uint16, service state.Service) state.PortStatus {
		service.Probed = true
		return state.PortStatus{Port: state.Port{Protocol: state.TCP, Number: port}, State: state.Open, Service: service}
	}
	return state.Host{
		Vantage: state.DefaultVantage, Address: address, State: state.Up,
		Coverage: []state.Coverage{{Protocol: state.TCP, Status: state.Answered, Ports: all, Services: true}},
		Ports: []state.PortStatus{
			open(22, state.Service{Name: "ssh", Product: "OpenSSH", Version: fmt.Sprintf("9.%d", run%7)}),
			open(extra(slices.Index(farm(), address), run), state.Service{Name: "http", Product: "nginx", Version: "1.22"}),
		},
	}
}
