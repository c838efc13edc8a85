package web

import (
	"context"
	"crypto/rand"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// deliveriesBook is what the page of messages reads and writes. To send them is a
// worker's.
type deliveriesBook interface {
	Deliveries(ctx context.Context, settled int) ([]state.Delivery, error)
	Backlogs(ctx context.Context, before time.Time) ([]state.Backlog, error)
	RetryDeliveries(ctx context.Context, ids []int64, everything bool, by state.Actor, now time.Time) ([]state.Delivery, error)
	DropDeliveries(ctx context.Context, ids []int64, everything bool, by state.Actor, now time.Time) ([]state.Delivery, error)
	TestMessages(ctx context.Context, by state.Actor, decide func(book string) []state.Delivery) error
}

// How many messages the page shows.
const (
	deliveriesShown = 200
	settledShown    = 50
)

// deliveriesView is the page of messages.
type deliveriesView struct {
	Waiting     []state.Delivery // parked ones first, then the oldest
	AllWaiting  int
	MoreWaiting string
	Settled     []state.Delivery // newest first
	Backlogs    []state.Backlog
	Channels    []Channel
	Now         time.Time
}

func (deliveriesView) title() string   { return "Deliveries" }
func (deliveriesView) section() string { return "Deliveries" }

// Title says what a message is about.
func (deliveriesView) Subject(d state.Delivery) string {
	switch {
	case d.Title != "":
		return d.Title
	case d.Kind == state.MessageTest:
		return "Test message"
	}
	kind := string(d.Kind)
	return strings.ToUpper(kind[:min(1, len(kind))]) + kind[min(1, len(kind)):]
}

// deliveries answers with the page.
func (s *server) deliveries(w http.ResponseWriter, r *http.Request) error {
	list, err := s.Book.Deliveries(r.Context(), settledShown)
	if err != nil {
		return err
	}
	view := deliveriesView{Channels: s.Channels, Now: s.Now()}
	for _, d := range list {
		if state := d.State(); state == "sent" || state == "dropped" {
			view.Settled = append(view.Settled, d)
		} else {
			view.Waiting = append(view.Waiting, d)
		}
	}
	slices.Reverse(view.Settled)
	slices.SortStableFunc(view.Waiting, func(a, b state.Delivery) int {
		switch {
		case (a.ParkedAt != nil) == (b.ParkedAt != nil):
			return 0
		case a.ParkedAt != nil:
			return -1
		}
		return 1
	})
	view.AllWaiting = len(view.Waiting)
	view.Waiting = view.Waiting[:min(deliveriesShown, len(view.Waiting))]
	view.MoreWaiting = state.MoreOf(len(view.Waiting), view.AllWaiting, "messages")
	if view.Backlogs, err = s.Book.Backlogs(r.Context(), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)); err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, "deliveries", view)
}

// readDeliveries reads which messages are meant: one or all.
func readDeliveries(value func(string) string) (ids []int64, all bool, err error) {
	if value("all") == "1" {
		return nil, true, nil
	}
	id, err := strconv.ParseInt(value("id"), 10, 64)
	if err != nil || id < 1 {
		return nil, false, bad("It is not said which message is meant.", "")
	}
	return []int64{id}, false, nil
}

// retryDeliveries has one message or all tried again.
func (s *server) retryDeliveries(w http.ResponseWriter, r *http.Request) error {
	return s.changeDeliveries(w, r, "To be tried again: ", s.Book.RetryDeliveries)
}

// dropDeliveries gives one message or all up.
func (s *server) dropDeliveries(w http.ResponseWriter, r *http.Request) error {
	return s.changeDeliveries(w, r, "Dropped: ", s.Book.DropDeliveries)
}

func (s *server) changeDeliveries(w http.ResponseWriter, r *http.Request, said string,
	change func(context.Context, []int64, bool, state.Actor, time.Time) ([]state.Delivery, error),
) error {
	ids, all, err := readDeliveries(r.PostFormValue)
	if err != nil {
		return err
	}
	changed, err := change(r.Context(), ids, all, identity(r).Actor(), s.Now())
	switch {
	case err != nil:
		return err
	case len(changed) == 0 && !all:
		return conflict("That message waits no more.", "It was sent or dropped in the meantime.")
	case len(changed) == 1:
		return s.done(w, r, "/deliveries", said+"the message to "+changed[0].To()+".")
	}
	return s.done(w, r, "/deliveries", said+state.Count(len(changed), "message", "messages")+".")
}

// askDrop asks whether messages are to be given up.
func (s *server) askDrop(w http.ResponseWriter, r *http.Request) error {
	ids, all, err := readDeliveries(r.URL.Query().Get)
	if err != nil {
		return err
	}
	ask := confirmView{Section: "Deliveries", Action: "/deliveries/drop", Back: "/deliveries", Button: "Drop", Text: "Nobody gets what is dropped. What it told of stays in the reports."}
	if all {
		ask.Title, ask.Fields = "Drop all messages that wait?", []hidden{{"all", "1"}}
	} else {
		id := strconv.FormatInt(ids[0], 10)
		ask.Title, ask.Fields = "Drop message "+id+"?", []hidden{{"id", id}}
	}
	return s.show(w, r, http.StatusOK, "confirm", ask)
}

// testChannel puts a message into the outbox that is marked as a test.
func (s *server) testChannel(w http.ResponseWriter, r *http.Request) error {
	name := r.PostFormValue("channel")
	i := slices.IndexFunc(s.Channels, func(c Channel) bool { return c.Name == name })
	if i < 0 {
		return bad("There is no such channel.", "The channels are those of ownmap.yaml.")
	}
	recipients := s.Channels[i].Recipients
	if len(recipients) == 0 {
		recipients = []string{""}
	}
	who, now, event := identity(r), s.Now(), "test-"+strings.ToLower(rand.Text())
	err := s.Book.TestMessages(r.Context(), who.Actor(), func(book string) (list []state.Delivery) {
		for _, recipient := range recipients {
			list = append(list, state.Delivery{
				MessageID: state.DeliveryID(book, event, name, recipient, ""), Kind: state.MessageTest, Channel: name, Recipient: recipient,
				Title: "Test message of OwnMap", Lines: []string{"If you can read this, the channel works.", "Sent by " + who.Name + " from the web page."},
				CreatedAt: now, DueAt: now,
			})
		}
		return list
	})
	if err != nil {
		return err
	}
	return s.done(w, r, "/deliveries", "Queued: a test message over "+name+"; a worker sends it.")
}
