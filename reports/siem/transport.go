package siem

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// look is how long is waited for word from a peer that has none to send.
const look = 20 * time.Millisecond

// stream writes frames with their length before them. It looks whether the peer is gone
// before it begins: a connection to a proxy, or one without the certificate that the peer
// wants, opens and is closed at once.
func stream(conn net.Conn, frames [][]byte, grace time.Duration) error {
	if err := listen(conn, look); err != nil {
		return fmt.Errorf("the receiver closed the connection at once: %w", err)
	}
	w := bufio.NewWriterSize(conn, 64<<10)
	for _, frame := range frames {
		_, _ = fmt.Fprintf(w, "%d ", len(frame)) // Flush tells of every error before it
		_, _ = w.Write(frame)
	}
	err := w.Flush()
	if half, ok := conn.(interface{ CloseWrite() error }); ok && err == nil {
		err = half.CloseWrite()
	}
	if err != nil {
		return fmt.Errorf("the receiver broke the connection: %w", err)
	}
	// What was not read when the peer closed comes back as a reset.
	if err := listen(conn, grace); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the receiver broke the connection: %w", err)
	}
	return nil
}

// listen reads until the peer closes the connection, and returns nil when it did not do
// so in time. What it says does not matter.
func listen(conn net.Conn, most time.Duration) error {
	if err := conn.SetReadDeadline(time.Now().Add(most)); err != nil {
		return err
	}
	buffer := make([]byte, 512)
	for {
		if _, err := conn.Read(buffer); errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// datagrams sends each frame by itself, with a pause now and then: a receiver has room
// for some hundred.
func datagrams(ctx context.Context, conn net.Conn, frames [][]byte) error {
	const burst, pause = 64, 5 * time.Millisecond
	for i, frame := range frames {
		if i > 0 && i%burst == 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(pause):
			}
		}
		if _, err := conn.Write(frame); err != nil {
			return err
		}
	}
	if _, udp := conn.(*net.UDPConn); udp {
		return listen(conn, look) // a closed port answers by ICMP
	}
	return nil
}
