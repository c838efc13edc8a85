package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// secureServer is a web server for https://example.com on all of the machine's addresses.
type secureServer struct {
	*httptest.Server
	calls *atomic.Int64
}

func serveTLS(t *testing.T) secureServer {
	t.Helper()
	calls := new(atomic.Int64)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	listener, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	server.Listener.Close()
	server.Listener = listener
	server.StartTLS()
	t.Cleanup(server.Close)
	return secureServer{server, calls}
}

// ownAddress returns an address of this machine that is neither loopback nor link-local:
// what is sent there does not leave it. ok is false where there is none.
func ownAddress(t *testing.T, server secureServer) (address string, ok bool) {
	t.Helper()
	list, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	for _, a := range list {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil || !prefix.Addr().Is4() || prefix.Addr().IsLoopback() || prefix.Addr().IsLinkLocalUnicast() {
			continue
		}
		conn, err := net.DialTimeout("tcp", net.JoinHostPort(prefix.Addr().String(), port), time.Second)
		if err == nil {
			conn.Close()
			return prefix.Addr().String(), true
		}
	}
	t.Log("this machine has loopback alone: the name leads to no server the first time")
	return "", false
}

// watchLinkLocal looks for connections to a port of any link-local address for as long as
// the test runs, by the kernel's table, and returns what it saw.
func watchLinkLocal(t *testing.T, port string) func() []string {
	t.Helper()
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	remote := regexp.MustCompile(fmt.Sprintf(`(?m)^.* [0-9A-F]{4}FEA9:%04X .*$`, number))
	var seen []string
	var work sync.WaitGroup
	work.Go(func() {
		for ctx.Err() == nil {
			table, _ := os.ReadFile("/proc/net/tcp")
			seen = append(seen, remote.FindAllString(string(table), -1)...)
			time.Sleep(5 * time.Millisecond)
		}
	})
	t.Cleanup(func() { cancel(); work.Wait() })
	return func() []string { cancel(); work.Wait(); return seen }
}

// nameserver is a DNS server on loopback: each question for an IPv4 address gets the next
// answer, and the last one from then on.
type nameserver struct {
	resolver *net.Resolver
	asked    atomic.Int64
}

func serveNames(t *testing.T, answers []string) *nameserver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	n := &nameserver{resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}}
	go func() {
		buffer := make([]byte, 1500)
		for {
			size, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:size]) != nil {
				continue
			}
			m.Response, m.Additionals = true, nil
			for _, q := range m.Questions {
				if q.Type != dnsmessage.TypeA {
					continue
				}
				at := min(int(n.asked.Add(1)), len(answers)) - 1
				m.Answers = append(m.Answers, dnsmessage.Resource{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
					Body:   &dnsmessage.AResource{A: netip.MustParseAddr(answers[at]).As4()},
				})
			}
			if reply, err := m.Pack(); err == nil {
				conn.WriteTo(reply, from)
			}
		}
	}()
	return n
}
