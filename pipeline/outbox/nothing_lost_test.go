package outbox

import (
	"os"
	"strconv"
	"testing"
	"time"
)

// number is a number of the environment, for the tests that can be made longer.
func number(tb testing.TB, name string, otherwise int) int {
	tb.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestNothingIsLost kills a program that does nights and sends mails, again and again, and
// stops its PostgreSQL under it, while the mail server refuses connections, answers 421,
// 451, 452 and 550, and cuts connections before and after it kept a message. At the end
// each message that the nights call for was kept, none besides, in order; and what came
// twice is what was in the hands of the server when something happened. In full:
//
//	OWNMAP_KILLS=1000 OWNMAP_STOPS=50 go test -run TestNothingIsLost -timeout 60m -v ./pipeline/outbox
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	kills, stops := number(t, "OWNMAP_KILLS", 8), number(t, "OWNMAP_STOPS", 1)
	o := newOrdeal(t, uint64(number(t, "OWNMAP_SEED", 6)))
	down := false
	for i := range kills {
		l := o.live(t, false)
		if down {
			o.pause(60 * time.Millisecond)
			o.server.Up(t)
			down = false
		}
		if i*stops/kills != (i+1)*stops/kills {
			o.stopPostgres(t, o.dice(2) == 0)
		}
		if o.dice(8) == 0 {
			down = true
			o.mailDown()
			if o.dice(2) == 0 {
				o.pause(150 * time.Millisecond)
				o.server.Up(t)
				down = false
			}
		}
		o.killSoon(l)
		if !l.killed() {
			t.Fatalf("program %d ended by itself: %s\n%s", i, l.cmd.ProcessState, l.stderr.String())
		}
		if (i+1)%50 == 0 {
			t.Logf("%d kills, %d messages kept", i+1, len(o.server.Messages()))
		}
	}
	if down {
		o.server.Up(t)
	}
	o.mu.Lock()
	o.calm = true
	o.mu.Unlock()
	l := o.live(t, true)
	select {
	case <-l.dead:
	case <-time.After(2 * time.Minute):
		_ = l.cmd.Process.Kill()
		<-l.dead
	}
	if !l.cmd.ProcessState.Success() {
		t.Fatalf("the last program: %s\n%s", l.cmd.ProcessState, l.stderr.String())
	}
	o.audit(t, kills, stops)
}

// mailDown lets the mail server refuse connections.
func (o *ordeal) mailDown() {
	o.pause(100 * time.Millisecond)
	incident := o.begin(byDown)
	o.server.Down()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.open = append(o.open, func() { o.end(incident, byDown) })
}

// stopPostgres stops PostgreSQL at a random moment, or while a message is in the hands of
// the mail server, and starts it again.
func (o *ordeal) stopPostgres(tb testing.TB, inHand bool) {
	tb.Helper()
	o.pause(300 * time.Millisecond)
	incident := -1
	if inHand {
		o.await(o.dice(2) == 0, func() { o.halted <- o.quit(tb) })
		select {
		case incident = <-o.halted:
		case <-time.After(3 * time.Second):
			if !o.takeBack() {
				incident = <-o.halted
			}
		}
	}
	if incident < 0 {
		incident = o.quit(tb)
	}
	o.pause(100 * time.Millisecond)
	o.startPostgres(tb)
	o.end(incident, byStop)
}

// killSoon kills a program at a random moment, while a message is in the hands of the mail
// server, or while a run and its messages are being committed.
func (o *ordeal) killSoon(l *life) {
	for range o.dice(12) { // of a night there are two or three
		l.hears("")
	}
	switch o.dice(8) {
	case 0:
		o.await(o.dice(2) == 0, func() { o.kill(l) })
		select {
		case <-l.dead:
		case <-time.After(3 * time.Second):
			o.takeBack()
		}
	case 1:
		l.hears("keep")
		o.pause(5 * time.Millisecond)
	default:
		o.pause(50 * time.Millisecond)
	}
	o.kill(l)
}

// hears waits for a while until a program says that it is at something; empty: anything.
func (l *life) hears(what string) {
	late := time.After(5 * time.Second)
	for {
		select {
		case said := <-l.said:
			if what == "" || said == what {
				return
			}
		case <-late:
			return
		}
	}
}
