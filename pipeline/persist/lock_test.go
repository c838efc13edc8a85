package persist

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"ownmap/queries"
)

func TestSecondRunNamesTheFirst(t *testing.T) {
	t.Parallel()
	url := filled.Database(t)
	first, second := openURL(t, url), openURL(t, url)
	release, err := first.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = second.Lock(t.Context())
	var running *RunningError
	if !errors.As(err, &running) {
		t.Fatalf("second lock: %v, want a RunningError", err)
	}
	if want := fmt.Sprintf("ownmap run, pid %d on ", os.Getpid()); !strings.HasPrefix(running.Holder, want) || !strings.Contains(running.Holder, " since 20") {
		t.Errorf("holder %q, want %q and the time", running.Holder, want)
	}
	release()
	release()
	release, err = second.Lock(t.Context())
	if err != nil {
		t.Fatalf("lock after release: %v", err)
	}
	release()
}

func TestLostLockIsNoticed(t *testing.T) {
	t.Parallel()
	book := open(t)
	holding := func() error {
		return book.inTx(t.Context(), func(q *queries.Queries) error { return book.holding(t.Context(), q) })
	}
	if err := holding(); !errors.Is(err, ErrLockLost) {
		t.Errorf("without a lock: %v, want ErrLockLost", err)
	}
	release, err := book.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if err := holding(); err != nil {
		t.Errorf("with the lock: %v", err)
	}
	if _, err := book.pool.Exec(t.Context(), "select pg_terminate_backend($1, 5000)", book.lock.PgConn().PID()); err != nil {
		t.Fatal(err)
	}
	if err := holding(); !errors.Is(err, ErrLockLost) {
		t.Errorf("after the connection broke: %v, want ErrLockLost", err)
	}
}
