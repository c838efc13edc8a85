package outbox

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/lab/smtplab"
	"ownmap/pipeline/persist/private"
)

// cause is why a message may come twice.
type cause string

const (
	byKill cause = "a kill"
	byStop cause = "a stop of PostgreSQL"
	byAck  cause = "an acknowledgement cut off"
	byDown cause = "the mail server going down"
)

// mark is something that happened: that the mail server kept a message for a recipient,
// or that an incident began or ended.
type mark struct {
	to, id   string // of a message; empty: of an incident
	untold   bool   // of a message: the acknowledgement was cut off on purpose
	incident int    // of an incident: its number, from 0
	cause    cause
	end      bool
}

// ordeal is what programs of nights go through.
type ordeal struct {
	server *smtplab.Server
	dir    string // of PostgreSQL
	pg     *private.Server
	orders orders

	mu        sync.Mutex
	rng       *rand.Rand
	marks     []mark
	incidents int
	open      []func()       // end incidents whose traces may come late
	calm      bool           // no more faults
	strike    *strike        // waits for the next message
	halted    chan int       // incidents: stops of PostgreSQL that a message brought
	at        string         // what the program is at
	hit       map[string]int // how many kills hit it at what
	faults    map[string]int
}

// strike is an incident that happens while a message is in the hands of the server.
type strike struct {
	do   func()
	kept bool // the server keeps the message; else it is gone
}

func newOrdeal(tb testing.TB, seed uint64) *ordeal {
	tb.Helper()
	o := &ordeal{
		dir: lab.StateDir(tb), rng: rand.New(rand.NewPCG(seed, 1)), halted: make(chan int, 1),
		hit: make(map[string]int), faults: make(map[string]int),
	}
	o.startPostgres(tb)
	tb.Cleanup(func() {
		if err := o.pg.Stop(context.WithoutCancel(tb.Context())); err != nil {
			tb.Error(err)
		}
	})
	o.server = smtplab.Start(tb, smtplab.Options{Mechanisms: []string{"PLAIN"}, User: mailUser, Password: mailPassword, Fault: o.fault})
	o.orders = orders{Database: o.pg.URL(), Port: o.server.Port, CAFile: o.server.CAFile(tb), Epoch: time.Now()}
	return o
}

// startPostgres starts the server, which keeps what it committed when its processes are
// killed: fsync is for machines that lose power.
func (o *ordeal) startPostgres(tb testing.TB) {
	tb.Helper()
	old := o.pg
	var err error
	if o.pg, err = private.Start(tb.Context(), o.dir, slog.New(slog.DiscardHandler), "fsync=off"); err != nil {
		tb.Fatal(err)
	}
	if old != nil {
		if err := old.Stop(tb.Context()); err != nil { // the share of the server that is gone
			tb.Fatal(err)
		}
	}
}

// fault says what goes wrong with a connection, and notes what is kept.
func (o *ordeal) fault(ask smtplab.Ask) smtplab.Answer {
	o.mu.Lock()
	defer o.mu.Unlock()
	answer := o.choose(ask)
	if ask.Stage == smtplab.Data && answer.Code == 0 && (!answer.Cut || answer.Kept) {
		o.marks = append(o.marks, mark{to: ask.To, id: ask.ID, untold: answer.Cut})
	}
	if answer != (smtplab.Answer{}) {
		o.faults[fmt.Sprintf("%s %d cut=%t kept=%t", ask.Stage, answer.Code, answer.Cut, answer.Kept)]++
	}
	return answer
}

func (o *ordeal) choose(ask smtplab.Ask) smtplab.Answer {
	if o.calm {
		return smtplab.Answer{}
	}
	if s := o.strike; s != nil && ask.Stage == smtplab.Data {
		o.strike = nil
		o.mu.Unlock()
		s.do()
		o.mu.Lock()
		return smtplab.Answer{Cut: !s.kept}
	}
	luck := o.rng.IntN(1000)
	for _, odd := range odds() {
		if odd.stage != ask.Stage {
			continue
		}
		if luck -= odd.share; luck < 0 {
			return odd.answer
		}
	}
	return smtplab.Answer{}
}

// odd is a fault and how often of 1,000 times it happens.
type odd struct {
	stage  smtplab.Stage
	share  int
	answer smtplab.Answer
}

func odds() []odd {
	return []odd{
		{smtplab.Connect, 10, smtplab.Answer{Cut: true}},
		{smtplab.Greeting, 30, smtplab.Answer{Code: 421, Text: "too busy"}},
		{smtplab.Auth, 5, smtplab.Answer{Code: 454, Text: "later"}},
		{smtplab.Sender, 10, smtplab.Answer{Code: 451, Text: "error in processing"}},
		{smtplab.Recipient, 20, smtplab.Answer{Code: 451, Text: "greylisted"}},
		{smtplab.Recipient, 15, smtplab.Answer{Code: 452, Text: "mailbox full"}},
		{smtplab.Recipient, 8, smtplab.Answer{Code: 550, Text: "no such user"}},
		{smtplab.Data, 15, smtplab.Answer{Code: 451, Text: "error in processing"}},
		{smtplab.Data, 10, smtplab.Answer{Code: 452, Text: "insufficient storage"}},
		{smtplab.Data, 10, smtplab.Answer{Code: 421, Text: "closing"}},
		{smtplab.Data, 30, smtplab.Answer{Cut: true}},
		{smtplab.Data, 20, smtplab.Answer{Cut: true, Kept: true}},
	}
}

// begin notes that an incident begins, and returns its number; end that it is over.
func (o *ordeal) begin(c cause) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.incidents++
	o.marks = append(o.marks, mark{incident: o.incidents - 1, cause: c})
	return o.incidents - 1
}

func (o *ordeal) end(incident int, c cause) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.marks = append(o.marks, mark{incident: incident, cause: c, end: true})
}

// endAll ends the incidents whose traces have come by now: a message that the server had
// all of when its sender died is kept a moment later.
func (o *ordeal) endAll() {
	o.mu.Lock()
	list := o.open
	o.open = nil
	o.mu.Unlock()
	for _, end := range list {
		end()
	}
}

// await has something happen while the next message is in the hands of the server.
func (o *ordeal) await(kept bool, do func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.strike = &strike{do, kept}
}

// takeBack takes back what awaits a message; false: it has happened, or is about to.
func (o *ordeal) takeBack() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	waits := o.strike != nil
	o.strike = nil
	return waits
}

// dice is a random number below n.
func (o *ordeal) dice(n int) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.rng.IntN(n)
}

// pause waits for a random time below d.
func (o *ordeal) pause(d time.Duration) { time.Sleep(time.Duration(o.dice(int(d)))) }

// life is a program of nights under way.
type life struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
	said   chan string   // what it said it is at
	dead   chan struct{} // closed: it has ended
	once   sync.Once
}

// live starts a program and waits until it is up.
func (o *ordeal) live(tb testing.TB, last bool) *life {
	tb.Helper()
	orders := o.orders
	orders.Last = last
	text, err := json.Marshal(orders)
	if err != nil {
		tb.Fatal(err)
	}
	l := &life{cmd: exec.CommandContext(tb.Context(), os.Args[0]), said: make(chan string, 1000), dead: make(chan struct{})}
	l.cmd.Env = append(os.Environ(), nightsVar+"="+string(text))
	l.cmd.Stderr = &l.stderr
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := l.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); line != "up\n" {
		_ = l.cmd.Wait()
		tb.Fatalf("the program said %q, %v\n%s", line, err, l.stderr.String())
	}
	o.say("up")
	o.endAll()
	go func() {
		defer close(l.dead)
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				break
			}
			o.say(strings.TrimSpace(line))
			select {
			case l.said <- strings.TrimSpace(line):
			default:
			}
		}
		_, _ = io.Copy(io.Discard, lines)
		_ = l.cmd.Wait()
	}()
	return l
}

func (o *ordeal) say(at string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.at = at
}

// kill kills a program with SIGKILL, and returns when it is gone.
func (o *ordeal) kill(l *life) {
	l.once.Do(func() {
		incident := o.begin(byKill)
		_ = l.cmd.Process.Kill()
		<-l.dead
		o.mu.Lock()
		o.hit[o.at]++
		o.open = append(o.open, func() { o.end(incident, byKill) })
		o.mu.Unlock()
	})
	<-l.dead
}

// killed says whether a program ended by SIGKILL and not by itself.
func (l *life) killed() bool {
	status, ok := l.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signal() == syscall.SIGKILL
}

// quit stops PostgreSQL as `pg_ctl stop -m immediate` does: none of its processes gets
// time to write anything down. It returns when all of them are gone.
func (o *ordeal) quit(tb testing.TB) int {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(o.dir, "pg", "data", "postmaster.pid"))
	if err != nil {
		tb.Error(err)
		return 0
	}
	pid := 0
	_, _ = fmt.Sscan(string(text), &pid)
	if line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); pid < 2 || err == nil && !strings.Contains(string(line), o.dir) {
		tb.Errorf("process %d is not the test's PostgreSQL: %q", pid, line)
		return 0
	}
	incident := o.begin(byStop)
	if err := syscall.Kill(pid, syscall.SIGQUIT); err != nil {
		tb.Error(err)
	}
	lock, err := os.Open(filepath.Join(o.dir, "server.lock")) // which all of its processes hold
	if err != nil {
		tb.Error(err)
		return incident
	}
	defer lock.Close()
	for deadline := time.Now().Add(20 * time.Second); syscall.Flock(int(lock.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) != nil; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Error("processes of PostgreSQL are left")
			break
		}
	}
	return incident
}
