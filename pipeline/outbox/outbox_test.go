package outbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
)

func TestMain(m *testing.M) {
	if text := os.Getenv(nightsVar); text != "" {
		if err := doNights(context.Background(), text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	lab.Main(m, &filled)
}

// clock is a clock that moves when somebody waits for it: by as much as the one waits
// who waits least, once all of them do.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Wait(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d > 0 {
		c.now = c.now.Add(d)
	}
	return ctx.Err()
}

// peer is the other side of a channel: it takes messages, or does what fault says.
type peer struct {
	mu    sync.Mutex
	fault func(m state.Message) error
	got   []string
}

func (p *peer) Send(_ context.Context, m state.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault != nil {
		if err := p.fault(m); err != nil {
			return err
		}
	}
	text := m.Recipient + " " + m.Title
	if len(m.Notes) > 0 {
		text += " [" + strings.Join(m.Notes, "; ") + "]"
	}
	p.got = append(p.got, text)
	return nil
}

// filled is a database with the schema and nothing else.
var filled = lab.Template{Fill: persist.Migrate}

func open(tb testing.TB) *persist.Book {
	tb.Helper()
	book, err := persist.Open(tb.Context(), filled.Database(tb), time.UTC, nil)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(book.Close)
	return book
}

// policy makes up for what is refused by a message to "other", and tells what is stuck for
// an hour there too.
type policy struct{}

func (policy) Refused(_ string, d state.Delivery, why string, at time.Time) []state.Delivery {
	if d.Channel == "other" {
		return nil
	}
	return []state.Delivery{{MessageID: "refused-" + d.MessageID, Kind: state.MessageTrouble, Channel: "other", Title: d.Title, Notes: []string{why}, CreatedAt: at, DueAt: at, Instead: d.ID}}
}

func (policy) Stuck(_ string, d state.Delivery, why string, at time.Time) []state.Delivery {
	if at.Sub(d.DueAt) < time.Hour {
		return nil
	}
	return []state.Delivery{{MessageID: "stuck-" + d.MessageID, Kind: state.MessageTrouble, Channel: "other", Title: "stuck " + d.Title, CreatedAt: at, DueAt: at}}
}

type world struct {
	book   *persist.Book
	clock  *clock
	peers  map[string]*peer
	sender *Sender
}

func newWorld(tb testing.TB, channels ...string) *world {
	tb.Helper()
	w := &world{book: open(tb), clock: &clock{now: time.Date(2026, 11, 1, 2, 0, 0, 0, time.UTC)}, peers: map[string]*peer{}}
	w.sender = &Sender{
		Store: w.book, Channels: map[string]Channel{}, Policy: policy{}, Now: w.clock.Now, Wait: w.clock.Wait,
		Links: func(state.Delivery, *state.Report) state.MessageLinks { return state.MessageLinks{} },
	}
	for _, name := range channels {
		w.peers[name] = &peer{}
		w.sender.Channels[name] = w.peers[name]
	}
	return w
}

// add puts messages into the outbox: "channel recipient title".
func (w *world) add(tb testing.TB, messages ...[3]string) {
	tb.Helper()
	err := w.book.Trouble(tb.Context(), func(book string) []state.Delivery {
		var list []state.Delivery
		for _, m := range messages {
			at := w.clock.Now()
			list = append(list, state.Delivery{
				MessageID: state.DeliveryID(book, m[2], m[0], m[1], ""), Kind: state.MessageChanges, Channel: m[0], Recipient: m[1], Title: m[2], CreatedAt: at, DueAt: at,
			})
		}
		return list
	})
	if err != nil {
		tb.Fatal(err)
	}
}

func (w *world) drain(tb testing.TB, patience time.Duration) []state.Backlog {
	tb.Helper()
	left, err := w.sender.Drain(tb.Context(), patience)
	if err != nil {
		tb.Fatal(err)
	}
	return left
}

func expect(tb testing.TB, got []string, want ...string) {
	tb.Helper()
	if !slices.Equal(got, want) {
		tb.Errorf("got %q\nwant %q", got, want)
	}
}

// TestInOrderOnce holds that messages arrive in order and once, and that the same message
// added twice is one.
func TestInOrderOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "mail", "other")
	w.add(t, [3]string{"mail", "a", "1"}, [3]string{"mail", "b", "1"}, [3]string{"other", "", "1"}, [3]string{"mail", "a", "1"})
	w.add(t, [3]string{"mail", "a", "2"}, [3]string{"mail", "a", "1"})
	if left := w.drain(t, 0); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	w.drain(t, time.Hour)
	expect(t, w.peers["mail"].got, "a 1", "b 1", "a 2")
	expect(t, w.peers["other"].got, " 1")
}

// TestDownForADay holds that a channel that is down for a day delivers all afterwards, in
// order and once, that others are told once, and that the others' messages do not wait.
func TestDownForADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "mail", "other")
	begin := w.clock.Now()
	tries := 0
	w.peers["mail"].fault = func(state.Message) error {
		if tries++; w.clock.Now().Sub(begin) < 24*time.Hour {
			return &state.SendError{Err: errors.New("connection refused"), Unreachable: true}
		}
		return nil
	}
	for i := range 5 {
		w.add(t, [3]string{"mail", "a", strconv.Itoa(i)}, [3]string{"mail", "b", strconv.Itoa(i)}, [3]string{"other", "", strconv.Itoa(i)})
	}
	left := w.drain(t, 2*time.Minute)
	if len(left) != 1 || left[0].Waiting != 10 || left[0].Channel != "mail" {
		t.Fatalf("left: %+v", left)
	}
	expect(t, w.peers["other"].got, " 0", " 1", " 2", " 3", " 4")
	w.drain(t, 30*time.Hour)
	expect(t, w.peers["mail"].got, "a 0", "b 0", "a 1", "b 1", "a 2", "b 2", "a 3", "b 3", "a 4", "b 4")
	expect(t, w.peers["other"].got, " 0", " 1", " 2", " 3", " 4", " stuck 0")
	if tries > 120 {
		t.Errorf("%d tries in a day: the pause between them is too short", tries)
	}
}

// TestRefused holds that a message that is refused for good is parked, is made up for, and
// holds up no other; and that a recipient who is put off holds up no other recipient.
func TestRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "mail", "other")
	w.peers["mail"].fault = func(m state.Message) error {
		switch m.Recipient + m.Title {
		case "a1":
			return &state.SendError{Err: errors.New("550 no such user"), Permanent: true}
		case "b1":
			return &state.SendError{Err: errors.New("451 greylisted"), After: 10 * time.Minute}
		}
		return nil
	}
	w.add(t, [3]string{"mail", "a", "1"}, [3]string{"mail", "b", "1"}, [3]string{"mail", "a", "2"}, [3]string{"mail", "b", "2"})
	left := w.drain(t, time.Minute)
	expect(t, w.peers["mail"].got, "a 2")
	expect(t, w.peers["other"].got, " 1 [550 no such user]")
	if len(left) != 1 || left[0].Waiting != 2 || left[0].Parked != 1 {
		t.Errorf("left: %+v", left)
	}
	list, err := w.book.Deliveries(t.Context(), 0)
	if err != nil || len(list) != 3 || list[0].State() != state.DeliveryParked || list[0].Error != "550 no such user" {
		t.Fatalf("%+v, %v", list, err)
	}
	if wait := list[1].NextAt.Sub(list[1].CreatedAt); wait < 10*time.Minute {
		t.Errorf("asked to wait 10 minutes, waits %s", wait)
	}
	w.peers["mail"].fault = nil
	if _, err := w.book.RetryDeliveries(t.Context(), []int64{list[0].ID}, false, state.Actor{Name: "alice", Via: "cli"}, w.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.book.DropDeliveries(t.Context(), []int64{list[2].ID}, false, state.Actor{Name: "alice", Via: "cli"}, w.clock.Now()); err != nil {
		t.Fatal(err)
	}
	w.drain(t, time.Hour)
	expect(t, w.peers["mail"].got, "a 2", "a 1", "b 1")
}

// TestForgottenChannel holds that messages of a channel that the config does not have any
// more are not kept in silence.
func TestForgottenChannel(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "other")
	w.add(t, [3]string{"mail", "a", "1"})
	w.drain(t, 0)
	w.drain(t, 0)
	expect(t, w.peers["other"].got, " 1 [the config has no such channel any more]")
}

// TestQuiet holds that a message is not sent before it is due, and that it holds up no
// other meanwhile.
func TestQuiet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "mail")
	at := w.clock.Now()
	err := w.book.Trouble(t.Context(), func(string) []state.Delivery {
		return []state.Delivery{
			{MessageID: "held", Kind: state.MessageChanges, Channel: "mail", Title: "held", CreatedAt: at, DueAt: at.Add(6 * time.Hour)},
			{MessageID: "critical", Kind: state.MessageChanges, Channel: "mail", Title: "critical", CreatedAt: at, DueAt: at},
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	w.drain(t, time.Hour)
	expect(t, w.peers["mail"].got, " critical")
	w.drain(t, 6*time.Hour)
	expect(t, w.peers["mail"].got, " critical", " held")
	if now := w.clock.Now(); now.Before(at.Add(6 * time.Hour)) {
		t.Errorf("sent at %s", now)
	}
}

// TestBusyElsewhere holds that a sender waits while another one sends for the channel, and
// does not ask the database over and over.
func TestBusyElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "mail")
	w.add(t, [3]string{"mail", "a", "1"})
	sending, proceed := make(chan struct{}), make(chan struct{})
	w.peers["mail"].fault = func(state.Message) error {
		close(sending)
		<-proceed
		return nil
	}
	var work sync.WaitGroup
	work.Go(func() { w.drain(t, 0) })
	<-sending
	waits := 0
	second := &Sender{
		Store: w.book, Channels: w.sender.Channels, Policy: policy{}, Now: w.clock.Now, Links: w.sender.Links,
		Wait: func(ctx context.Context, d time.Duration) error {
			if waits++; waits > 100 {
				return errors.New("asks over and over")
			}
			return w.clock.Wait(ctx, d)
		},
	}
	left, err := second.Drain(t.Context(), 10*time.Second)
	if err != nil || len(left) != 1 || left[0].Waiting != 1 || waits < 5 {
		t.Errorf("left %+v after %d waits, %v", left, waits, err)
	}
	close(proceed)
	work.Wait()
	expect(t, w.peers["mail"].got, "a 1")
}

// TestManyAtOnce holds that every channel sends while all the others do, and reads the
// database meanwhile: none waits for the connection of another.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	var names []string
	for i := range 24 {
		names = append(names, fmt.Sprint("channel-", i))
	}
	w := newWorld(t, names...)
	var sending sync.WaitGroup
	sending.Add(len(names))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	all := make(chan struct{})
	go func() { sending.Wait(); close(all) }()
	for _, name := range names {
		w.add(t, [3]string{name, "", "1"})
		w.peers[name].fault = func(state.Message) error {
			_, err := w.book.Memo(ctx, name, "key")
			sending.Done()
			select {
			case <-all:
			case <-ctx.Done():
				return errors.New("not all channels send at once")
			}
			return err
		}
	}
	if left, err := w.sender.Drain(ctx, 0); err != nil || len(left) != 0 {
		t.Fatalf("%d channels have not sent: %v", len(left), err)
	}
}

// TestPanic holds that a channel that panics costs no other anything, and keeps its
// message.
func TestPanic(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "mail", "other")
	w.peers["mail"].fault = func(m state.Message) error { return errors.New(m.Report.Verdict()) }
	w.add(t, [3]string{"mail", "a", "1"}, [3]string{"other", "", "1"})
	left := w.drain(t, 0)
	expect(t, w.peers["other"].got, " 1")
	if len(left) != 1 || left[0].Channel != "mail" || left[0].Waiting != 1 {
		t.Fatalf("left: %+v", left)
	}
	list, err := w.book.Deliveries(t.Context(), 0)
	if err != nil || len(list) != 1 || !strings.Contains(list[0].Error, "nil pointer") {
		t.Errorf("%+v, %v", list, err)
	}
}
