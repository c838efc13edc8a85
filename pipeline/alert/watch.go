package alert

import (
	"fmt"
	"slices"
	"time"

	"ownmap/pipeline/state"
)

// watch adds what is to be told of the run itself: that it is partial, or that the scan
// was not as it should be; or else, to those who want it, that all is well. Whoever is
// told of the whole run anyway reads it there: one message per run.
func (p Policy) watch(r state.Report, book string, at time.Time, plan *Plan) {
	told := make(map[key]bool)
	for _, d := range plan.Deliveries {
		told[key{d.Channel, d.Recipient, ""}] = told[key{d.Channel, d.Recipient, ""}] || d.Share.Everyone
	}
	kind, title := state.MessageWell, "All is well: "+r.Verdict()
	var lines []string
	switch {
	case r.Run.Partial || len(r.Run.Alerts) > 0:
		kind, title = state.MessageTrouble, "Run finished in part: "+r.Verdict()
		if !r.Run.Partial {
			title = "The scan was not as it should be: " + r.Verdict()
		}
		lines = append(lines, r.CoverageWords())
		for _, alert := range r.Run.Alerts {
			lines = append(lines, alert.Text)
		}
	case !p.wellDue(r, plan.Deliveries):
		return
	}
	for _, k := range p.watchers() {
		if told[k] {
			continue
		}
		plan.Deliveries = append(plan.Deliveries, state.Delivery{
			MessageID: state.DeliveryID(book, "watch-"+state.RunEvent(r.Run.ID), k.channel, k.recipient, ""),
			Run:       r.Run.ID, Kind: kind, Channel: k.channel, Recipient: k.recipient, Share: state.Share{Everyone: true, Everything: true},
			Title: title, Lines: lines, CreatedAt: at, DueAt: p.held(at, standing),
		})
	}
}

// wellDue says whether a run that has nothing to say says so. What is news to anybody is
// not well, whoever is told of it.
func (p Policy) wellDue(r state.Report, told []state.Delivery) bool {
	switch p.Watch.Well {
	case WellAlways:
		return !slices.ContainsFunc(told, func(d state.Delivery) bool { return d.Kind == state.MessageBaseline || d.Kind == state.MessageChanges })
	case WellWeekly:
		_, unapproved := r.OpenPorts()
		return len(told) == 0 && p.quiet(state.RunSummary{Run: r.Run, Changes: len(r.Changes), Unapproved: unapproved}) &&
			!slices.ContainsFunc(r.Trend, func(s state.RunSummary) bool { return s.ID != r.Run.ID && p.sameWeek(s.Run, r.Run) && p.quiet(s) })
	case WellNever, "":
	}
	return false
}

// quiet says of a run, by its numbers, whether it had nothing to say.
func (p Policy) quiet(s state.RunSummary) bool {
	reminded := s.Unapproved > 0 && !p.Remind.Never && len(p.Remind.After) == 0
	return !s.Baseline && !s.Partial && len(s.Alerts) == 0 && s.Changes == 0 && !reminded
}

func (p Policy) sameWeek(a, b state.Run) bool {
	year, week := keptAt(a).In(p.zone()).ISOWeek()
	otherYear, otherWeek := keptAt(b).In(p.zone()).ISOWeek()
	return year == otherYear && week == otherWeek
}

// watchers are those who are told of OwnMap's own trouble.
func (p Policy) watchers() []key {
	channels := p.Watch.Channels
	if len(channels) == 0 && len(p.Routes) > 0 {
		channels = p.Routes[len(p.Routes)-1].Channels
	}
	var keys []key
	for _, name := range channels {
		recipients := p.Channels[name].Recipients
		if len(recipients) == 0 {
			recipients = []string{""}
		}
		for _, recipient := range recipients {
			if k := (key{name, recipient, ""}); !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
	}
	return keys
}

// Trouble returns the deliveries that tell of something amiss with OwnMap itself. event
// is a word of its own for what happened: the same event is told once, however often it
// is met. The channel without is left out, because it is what does not work.
func (p Policy) Trouble(book, event, title string, lines []string, at time.Time, without string) []state.Delivery {
	var list []state.Delivery
	for _, k := range p.watchers() {
		if k.channel != without {
			list = append(list, p.trouble(book, event, title, lines, at, k))
		}
	}
	if len(list) > 0 || without == "" {
		return list
	}
	for name := range p.Channels { // the only one that is watched does not work: any other will do
		if name != without && (len(list) == 0 || name < list[0].Channel) {
			recipient := ""
			if r := p.Channels[name].Recipients; len(r) > 0 {
				recipient = r[0]
			}
			list = []state.Delivery{p.trouble(book, event, title, lines, at, key{name, recipient, ""})}
		}
	}
	return list
}

func (p Policy) trouble(book, event, title string, lines []string, at time.Time, k key) state.Delivery {
	return state.Delivery{
		MessageID: state.DeliveryID(book, event, k.channel, k.recipient, ""), Kind: state.MessageTrouble,
		Channel: k.channel, Recipient: k.recipient, Title: title, Lines: lines, CreatedAt: at, DueAt: at,
	}
}

// Stuck returns what is told, by other channels, of a message that is tried in vain for
// longer than the policy allows; once for each message that holds up the others.
func (p Policy) Stuck(book string, d state.Delivery, why string, at time.Time) []state.Delivery {
	if p.Watch.Stuck == 0 || at.Sub(d.DueAt) < p.Watch.Stuck || d.Kind == state.MessageTrouble {
		return nil
	}
	title := fmt.Sprintf("%s does not take messages since %s", d.To(), d.DueAt.In(p.zone()).Format("2006-01-02 15:04 MST"))
	return p.Trouble(book, "stuck-"+d.MessageID, title, []string{why, "Its messages are kept and tried again: ownmap deliveries list"}, at, d.Channel)
}

// Refused returns the deliveries that make up for one that was refused for good: the same
// message by the channel's fallback; without one, word of it to those who watch.
func (p Policy) Refused(book string, d state.Delivery, why string, at time.Time) []state.Delivery {
	if d.Instead != 0 && d.Kind == state.MessageTrouble {
		return nil // word of a refusal was refused itself: status and pages show both
	}
	event := "refused-" + d.MessageID
	note := fmt.Sprintf("%s refused this message: %s", d.To(), why)
	fallback := p.Channels[d.Channel].Fallback
	if fallback == "" || d.Instead != 0 {
		list := p.Trouble(book, event, "A message could not be delivered", []string{note, "It is kept: ownmap deliveries list"}, at, d.Channel)
		for i := range list {
			list[i].Instead = d.ID
		}
		return list
	}
	recipients := p.Channels[fallback].Recipients
	if len(recipients) == 0 {
		recipients = []string{""}
	}
	var list []state.Delivery
	for _, recipient := range recipients {
		instead := d
		instead.ID, instead.Channel, instead.Recipient, instead.Instead = 0, fallback, recipient, d.ID
		instead.MessageID = state.DeliveryID(book, event, fallback, recipient, d.Group)
		instead.Notes = append(slices.Clone(d.Notes), note)
		instead.CreatedAt, instead.DueAt, instead.Attempts, instead.Error = at, at, 0, ""
		list = append(list, instead)
	}
	return list
}
