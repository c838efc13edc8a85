package text

import (
	"cmp"
	"io"
	"strconv"
	"time"

	"ownmap/pipeline/state"
)

// Deliveries writes messages and how far each has come, in the order given.
func Deliveries(w io.Writer, list []state.Delivery, options Options) error {
	p := &page{options: options}
	if len(list) == 0 {
		p.line(span{"every message is delivered", plain})
		return p.writeTo(w)
	}
	t := table{columns: []column{
		{title: "ID", right: true},
		{title: "DECIDED"},
		{title: "KIND"},
		{title: "RUN", right: true},
		{title: "TO", floor: 16},
		{title: "STATE", floor: 16},
		{title: "TRIES", right: true},
		{title: "LAST ERROR", floor: 20},
	}}
	for _, d := range list {
		run := ""
		if d.Run != 0 {
			run = number(d.Run)
		}
		style := plain
		if d.State() == state.DeliveryWaiting || d.State() == state.DeliveryParked {
			style = yellow
		}
		t.add(span{number(d.ID), plain}, span{minute(d.CreatedAt), plain}, span{string(d.Kind), plain}, span{run, plain}, span{d.To(), bold},
			span{stateOf(d), style}, span{number(d.Attempts), plain}, span{d.Error, dim})
	}
	t.write(p)
	return p.writeTo(w)
}

// stateOf says how far a delivery has come, and since or until when.
func stateOf(d state.Delivery) string {
	switch d.State() {
	case state.DeliverySent:
		return "sent " + minute(*d.SentAt)
	case state.DeliveryParked:
		return "refused " + minute(*d.ParkedAt)
	case state.DeliveryDropped:
		return "dropped " + minute(*d.DroppedAt)
	case state.DeliveryWaiting:
	}
	if d.Attempts > 0 {
		return "next try " + minute(d.NextAt)
	}
	return "due " + minute(latest(d.NextAt, d.DueAt))
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Changed writes what a command did to deliveries; verb is its past tense.
func Changed(w io.Writer, verb string, list []state.Delivery, options Options) error {
	p := &page{options: options}
	p.line(span{verb + " " + state.Count(len(list), "message", "messages"), bold})
	for _, d := range list {
		p.line(span{"  " + strconv.FormatInt(d.ID, 10) + " to " + d.To(), plain})
	}
	return p.writeTo(w)
}

// Snoozes writes what is not spoken of.
func Snoozes(w io.Writer, list []state.Snooze, options Options) error {
	p := &page{options: options}
	if len(list) == 0 {
		p.line(span{"nothing is snoozed", plain})
		return p.writeTo(w)
	}
	t := table{columns: []column{{title: "HOST", floor: 16}, {title: "PORT"}, {title: "UNTIL"}, {title: "BY", floor: 8}, {title: "REASON", floor: 16}}}
	for _, s := range list {
		port := "all"
		if s.Port != (state.Port{}) {
			port = s.Port.String()
		}
		t.add(span{state.Label(s.Name, s.Address), bold}, span{port, plain}, span{minute(s.Until), plain}, span{cmp.Or(s.By, "-"), plain}, span{s.Reason, dim})
	}
	t.write(p)
	return p.writeTo(w)
}
