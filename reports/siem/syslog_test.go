package siem

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

// octets reads frames as RFC 6587, 3.4.1, counts them.
func octets(r io.Reader) (frames []string, err error) {
	b := bufio.NewReader(r)
	for {
		var size int
		if _, err := fmt.Fscanf(b, "%d ", &size); errors.Is(err, io.EOF) {
			return frames, nil
		} else if err != nil {
			return frames, err
		}
		frame := make([]byte, size)
		if _, err := io.ReadFull(b, frame); err != nil {
			return frames, err
		}
		frames = append(frames, string(frame))
	}
}

func same(t *testing.T, c *Channel, got []string) {
	t.Helper()
	frames := c.Render(message())
	if len(got) != len(frames) {
		t.Fatalf("%d frames came, want %d", len(got), len(frames))
	}
	for i, frame := range frames {
		if got[i] != string(frame) {
			t.Errorf("%q came for %q", got[i], frame)
		}
	}
}

// serve answers one connection after the other.
func serve(t *testing.T, listener net.Listener, answer func(net.Conn)) string {
	t.Helper()
	done := make(chan struct{})
	t.Cleanup(func() { listener.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			answer(conn)
			conn.Close()
		}
	}()
	return listener.Addr().String()
}

func listenTCP(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

func TestTCP(t *testing.T) {
	t.Parallel()
	came := make(chan []string, 1)
	address := serve(t, listenTCP(t), func(conn net.Conn) {
		frames, err := octets(conn)
		if err != nil {
			t.Error(err)
		}
		came <- frames
	})
	c := channel(t, Options{Transport: TCP, Address: address, Grace: 5 * time.Second})
	for range 2 {
		if err := c.Send(t.Context(), message()); err != nil {
			t.Fatal(err)
		}
		same(t, c, <-came)
	}
}

// TestKept holds that a receiver that keeps its connections open holds nothing up.
func TestKept(t *testing.T) {
	t.Parallel()
	came, done := make(chan []string, 1), make(chan struct{})
	address := serve(t, listenTCP(t), func(conn net.Conn) {
		frames, _ := octets(conn)
		came <- frames
		<-done
	})
	t.Cleanup(func() { close(done) })
	c := channel(t, Options{Transport: TCP, Address: address, Grace: 20 * time.Millisecond})
	if err := c.Send(t.Context(), message()); err != nil {
		t.Error(err)
	}
	same(t, c, <-came)
}

func TestTLS(t *testing.T) {
	t.Parallel()
	web := httptest.NewTLSServer(nil) // for its certificate, of 127.0.0.1
	defer web.Close()
	came := make(chan []string, 1)
	server := &tls.Config{Certificates: web.TLS.Certificates, MinVersion: tls.VersionTLS12}
	address := serve(t, tls.NewListener(listenTCP(t), server), func(conn net.Conn) {
		frames, err := octets(conn)
		if err == nil && len(frames) > 0 {
			came <- frames
		}
	})
	pool := x509.NewCertPool()
	pool.AddCert(web.Certificate())
	c := channel(t, Options{Transport: TLS, Address: address, TLS: &tls.Config{RootCAs: pool}, Grace: 5 * time.Second})
	if err := c.Send(t.Context(), message()); err != nil {
		t.Fatal(err)
	}
	same(t, c, <-came)
	isDown(t, channel(t, Options{Transport: TLS, Address: address}), "certificate signed by unknown authority")

	// With TLS 1.3 the client only learns after its handshake that its certificate misses.
	wanting := server.Clone()
	wanting.ClientAuth = tls.RequireAnyClientCert
	strict := serve(t, tls.NewListener(listenTCP(t), wanting), func(conn net.Conn) { _, _ = octets(conn) })
	isDown(t, channel(t, Options{Transport: TLS, Address: strict, TLS: &tls.Config{RootCAs: pool}, Grace: 5 * time.Second}), "certificate required")
}

func isDown(t *testing.T, c *Channel, text string) {
	t.Helper()
	err := c.Send(t.Context(), message())
	var failure *state.SendError
	if !errors.As(err, &failure) || failure.Permanent || !failure.Unreachable || !strings.Contains(err.Error(), text) {
		t.Errorf("want %q, got %v", text, err)
	}
}

func TestDown(t *testing.T) {
	t.Parallel()
	closed := listenTCP(t)
	closed.Close()
	isDown(t, channel(t, Options{Transport: TCP, Address: closed.Addr().String()}), "syslog over tcp to 127.0.0.1:")
	isDown(t, channel(t, Options{Transport: TCP, Address: serve(t, listenTCP(t), func(net.Conn) {})}), "closed the connection at once")
	// One that dies with something unread.
	isDown(t, channel(t, Options{Transport: TCP, Grace: 5 * time.Second, Address: serve(t, listenTCP(t), func(conn net.Conn) { conn.Read(make([]byte, 10)) })}), "broke the connection")
	// One that does not read, and one that does not even shake hands: time is up.
	stay := make(chan struct{})
	silent := serve(t, listenTCP(t), func(net.Conn) { <-stay })
	t.Cleanup(func() { close(stay) })
	isDown(t, channel(t, Options{Transport: TLS, Address: silent, Timeout: 50 * time.Millisecond}), "syslog over tls to 127.0.0.1:")
	large := message()
	report := *large.Report
	report.Changes = slices.Repeat(report.Changes, 2000)
	large.Report = &report
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	if err := channel(t, Options{Transport: TCP, Address: silent}).Send(ctx, large); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// packets reads as many datagrams as come in a while.
func packets(t *testing.T, conn net.PacketConn, n int) (frames []string) {
	t.Helper()
	buffer := make([]byte, 4096)
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	for range n {
		size, _, err := conn.ReadFrom(buffer)
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, string(buffer[:size]))
	}
	return frames
}

func TestUDP(t *testing.T) {
	t.Parallel()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := channel(t, Options{Transport: UDP, Address: conn.LocalAddr().String()})
	if err := c.Send(t.Context(), message()); err != nil {
		t.Fatal(err)
	}
	same(t, c, packets(t, conn, len(c.Render(message()))))
	conn.Close()
	isDown(t, c, "connection refused")
}

func TestLocal(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	conn, err := net.ListenPacket("unixgram", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := channel(t, Options{Transport: Local, Address: path})
	failed := make(chan error, 1)
	go func() { failed <- c.Send(t.Context(), message()) }()
	same(t, c, packets(t, conn, len(c.Render(message()))))
	if err := <-failed; err != nil {
		t.Error(err)
	}
	isDown(t, channel(t, Options{Transport: Local, Address: path + ".missing"}), "no such file")
}
