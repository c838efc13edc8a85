package banner

import (
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// maxSaid is how much of what a port says is read, in bytes.
const maxSaid = 4 << 10

// ending is why no more was read.
type ending int

const (
	endQuiet   ending = iota // it said no more for a while
	endWhole                 // what it said is complete
	endFull                  // maxSaid is reached
	endClosed                // it closed the connection
	endCut                   // the connection broke
	endTrickle               // it went on dripping until time was up
)

// ear reads what a connection says, bounded in size and time.
type ear struct {
	conn  net.Conn
	quiet time.Duration // how long a pause ends what was said
	limit time.Duration // how long it may go on
	said  []byte
	end   ending
}

// hear listens for a first byte as long as patience, and from then on until what
// was said is complete or one of the bounds is reached.
func (e *ear) hear(patience time.Duration) {
	buffer := make([]byte, maxSaid)
	now := time.Now()
	deadline, last := now.Add(patience), now.Add(patience+e.limit)
	for {
		// It fails only where Read does, too.
		_ = e.conn.SetReadDeadline(deadline)
		n, err := e.conn.Read(buffer[:maxSaid-len(e.said)])
		e.said = append(e.said, buffer[:n]...)
		now = time.Now()
		switch {
		case n > 0 && whole(e.said):
			e.end = endWhole
		case len(e.said) == maxSaid:
			e.end = endFull
		case errors.Is(err, io.EOF):
			e.end = endClosed
		case errors.Is(err, os.ErrDeadlineExceeded) && now.Before(last):
			e.end = endQuiet
		case err != nil && !errors.Is(err, os.ErrDeadlineExceeded):
			e.end = endCut
		case !now.Before(last):
			e.end = endTrickle
		default:
			if deadline = now.Add(e.quiet); deadline.After(last) {
				deadline = last
			}
			continue
		}
		return
	}
}
