package export

import (
	"cmp"
	"io"
	"time"

	"ownmap/pipeline/state"
)

// deliveryJSON is a message on its way as scripts see it.
type deliveryJSON struct {
	ID        int64      `json:"id"`
	MessageID string     `json:"message_id"`
	Run       *int64     `json:"run"`
	Kind      string     `json:"kind"`
	Channel   string     `json:"channel"`
	Recipient string     `json:"recipient"`
	Group     string     `json:"group"`
	Title     string     `json:"title"`
	State     string     `json:"state"`
	Attempts  int        `json:"attempts"`
	Error     string     `json:"error"`
	CreatedAt time.Time  `json:"created_at"`
	DueAt     time.Time  `json:"due_at"`
	NextAt    *time.Time `json:"next_at"` // of one that waits
	SentAt    *time.Time `json:"sent_at"`
	ParkedAt  *time.Time `json:"parked_at"`
	DroppedAt *time.Time `json:"dropped_at"`
	Instead   *int64     `json:"instead_of"`
}

// DeliveriesJSON writes deliveries as one array. Times are in UTC.
func DeliveriesJSON(w io.Writer, list []state.Delivery) error {
	out := make([]deliveryJSON, len(list))
	for i, d := range list {
		out[i] = deliveryJSON{
			ID: d.ID, MessageID: d.MessageID, Run: known(d.Run), Kind: string(d.Kind), Channel: d.Channel, Recipient: d.Recipient, Group: d.Group,
			Title: d.Title, State: string(d.State()), Attempts: d.Attempts, Error: d.Error, CreatedAt: d.CreatedAt.UTC(), DueAt: d.DueAt.UTC(),
			SentAt: inUTC(d.SentAt), ParkedAt: inUTC(d.ParkedAt), DroppedAt: inUTC(d.DroppedAt), Instead: known(d.Instead),
		}
		if d.State() == state.DeliveryWaiting {
			out[i].NextAt = inUTC(&d.NextAt)
		}
	}
	return write(w, out)
}

func known(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}

func inUTC(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	utc := at.UTC()
	return &utc
}

// backlogJSON is what a channel has not sent.
type backlogJSON struct {
	Channel string    `json:"channel"`
	Waiting int       `json:"waiting"`
	Parked  int       `json:"parked"`
	Since   time.Time `json:"since"`
}

func backlogsOf(list []state.Backlog) []backlogJSON {
	out := make([]backlogJSON, len(list))
	for i, b := range list {
		out[i] = backlogJSON{b.Channel, b.Waiting, b.Parked, b.Since.UTC()}
	}
	return out
}

// snoozeJSON is a host or port that is not spoken of.
type snoozeJSON struct {
	Host     string    `json:"host"`
	Address  string    `json:"address"`
	Protocol *string   `json:"protocol"` // null, as the port: the whole host
	Port     *uint16   `json:"port"`
	Until    time.Time `json:"until"`
	Since    time.Time `json:"since"`
	Reason   string    `json:"reason"`
	By       string    `json:"by"`
}

func snoozesOf(list []state.Snooze) []snoozeJSON {
	out := make([]snoozeJSON, len(list))
	for i, s := range list {
		out[i] = snoozeJSON{Host: cmp.Or(s.Name, s.Address.String()), Address: s.Address.String(), Until: s.Until.UTC(), Since: s.Since.UTC(), Reason: s.Reason, By: s.By}
		if s.Port != (state.Port{}) {
			protocol, number := string(s.Port.Protocol), s.Port.Number
			out[i].Protocol, out[i].Port = &protocol, &number
		}
	}
	return out
}

// SnoozesJSON writes snoozes as one array. Times are in UTC.
func SnoozesJSON(w io.Writer, list []state.Snooze) error { return write(w, snoozesOf(list)) }
