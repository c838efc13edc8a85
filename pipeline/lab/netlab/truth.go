package netlab

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// Prefix is the prefix of every lab's hosts; an address of it that has no host is silent.
func Prefix() netip.Prefix { return netip.MustParsePrefix("10.77.0.0/16") }

// Gateway is the router of a scanner, counted from 0. It answers pings.
func Gateway(scanner int) netip.Addr { return netip.AddrFrom4([4]byte{10, 99, byte(scanner), 2}) }

func scannerAddress(scanner int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, 99, byte(scanner), 1})
}

// Host is one host of the lab: its open TCP ports and what speaks there.
type Host struct {
	Address netip.Addr
	Ports   map[uint16]Service
	Spoof   *Service // what speaks on all other ports, as portspoof does; nil: they are closed
}

// host is a Host as the wire looks at it.
type host struct {
	Host
	down bool
}

func (h *host) service(port uint16) (Service, bool) {
	s, open := h.Ports[port]
	if !open && h.Spoof != nil {
		return *h.Spoof, true
	}
	return s, open
}

// truth is every host by the low half of its address.
type truth []*host

func (t truth) add(h Host) error {
	if !Prefix().Contains(h.Address) {
		return fmt.Errorf("%s is not in %s, where the lab's hosts are", h.Address, Prefix())
	}
	h.Ports = maps.Clone(h.Ports)
	if h.Ports == nil {
		h.Ports = map[uint16]Service{}
	}
	t[low(h.Address)] = &host{Host: h}
	return nil
}

func (t truth) at(address netip.Addr) *host {
	if !Prefix().Contains(address) {
		return nil
	}
	return t[low(address)]
}

func low(address netip.Addr) uint16 {
	b := address.As4()
	return binary.BigEndian.Uint16(b[2:])
}

// Network makes n hosts from 10.77.0.0 on, each with 3 to 8 open ports out of common and up to 2 other high ones.
// Most of them have SSH; one port in 30 never speaks. The same seed makes the same network.
func Network(seed uint64, n int, common []uint16) []Host {
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // the same network for the same seed is the point
	services := Services()
	kinds := strings.Fields(strings.Repeat("ssh ", 6) + strings.Repeat("http ", 11) + strings.Repeat("smtp redis ftp mysql ", 3) + "silent")
	draw := func() Service { return services[kinds[random.IntN(len(kinds))]] }
	hosts := make([]Host, 0, n)
	for address := Prefix().Addr(); len(hosts) < n && Prefix().Contains(address); address = address.Next() {
		ports := map[uint16]Service{}
		if random.IntN(10) < 8 {
			ports[22] = services["ssh"]
		}
		for want := min(3+random.IntN(6), len(common)); len(ports) < want; {
			ports[common[random.IntN(len(common))]] = draw()
		}
		for range random.IntN(3) {
			if port := uint16(10000 + random.IntN(55000)); !slices.Contains(common, port) {
				ports[port] = draw()
			}
		}
		hosts = append(hosts, Host{Address: address, Ports: ports})
	}
	return hosts
}

// TopPorts returns the n TCP ports that nmap --top-ports n scans, in ascending order.
func TopPorts(ctx context.Context, n int) ([]uint16, error) {
	out, err := exec.CommandContext(ctx, "nmap", "-n", "-v", "-oG", "-", "--top-ports", strconv.Itoa(n), "-iL", "/dev/null").Output() //nolint:gosec // a number is all that varies
	if err != nil {
		return nil, fmt.Errorf("nmap --top-ports %d: %w", n, err)
	}
	_, list, _ := bytes.Cut(out, []byte("TCP("))
	list, _, _ = bytes.Cut(list, []byte(")"))
	_, list, found := bytes.Cut(list, []byte(";"))
	if !found {
		return nil, fmt.Errorf("nmap --top-ports %d: no list of ports in %q", n, out)
	}
	var ports []uint16
	for part := range strings.SplitSeq(string(list), ",") {
		from, to, ranged := strings.Cut(part, "-")
		if !ranged {
			to = from
		}
		first, err := strconv.ParseUint(from, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("nmap --top-ports %d: %w", n, err)
		}
		last, err := strconv.ParseUint(to, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("nmap --top-ports %d: %w", n, err)
		}
		for port := first; port <= last; port++ {
			ports = append(ports, uint16(port))
		}
	}
	return ports, nil
}
